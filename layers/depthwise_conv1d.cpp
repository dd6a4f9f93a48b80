// SPDX-License-Identifier: Apache-2.0
#include "layers/depthwise_conv1d.h"

namespace strata {

layers::DepthwiseConv1D::DepthwiseConv1D(const Sizes& kernel_size, const DepthwiseConvOptions& options)
    : LayerRef(make_depthwise_convolution(1, kernel_size, options)) {}

void register_depthwise_conv1d(LayerRegistry& registry) { registry.add(depthwise_convolution_entry(1)); }

}  // namespace strata
