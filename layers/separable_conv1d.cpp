// SPDX-License-Identifier: Apache-2.0
#include "layers/separable_conv1d.h"

namespace strata {

layers::SeparableConv1D::SeparableConv1D(Dim filters, const Sizes& kernel_size, const SeparableConvOptions& options)
    : LayerRef(make_separable_convolution(1, filters, kernel_size, options)) {}

void register_separable_conv1d(LayerRegistry& registry) {
  registry.add(separable_convolution_entry(1));
  registry.add_alias("SeparableConvolution1D", "SeparableConv1D");
}

}  // namespace strata
