// SPDX-License-Identifier: Apache-2.0
#include "layers/separable_conv2d.h"

namespace strata {

layers::SeparableConv2D::SeparableConv2D(Dim filters, const Sizes& kernel_size, const SeparableConvOptions& options)
    : LayerRef(make_separable_convolution(2, filters, kernel_size, options)) {}

void register_separable_conv2d(LayerRegistry& registry) {
  registry.add(separable_convolution_entry(2));
  registry.add_alias("SeparableConvolution2D", "SeparableConv2D");
}

}  // namespace strata
