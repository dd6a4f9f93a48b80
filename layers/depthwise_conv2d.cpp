// SPDX-License-Identifier: Apache-2.0
#include "layers/depthwise_conv2d.h"

namespace strata {

layers::DepthwiseConv2D::DepthwiseConv2D(const Sizes& kernel_size, const DepthwiseConvOptions& options)
    : LayerRef(make_depthwise_convolution(2, kernel_size, options)) {}

void register_depthwise_conv2d(LayerRegistry& registry) { registry.add(depthwise_convolution_entry(2)); }

}  // namespace strata
