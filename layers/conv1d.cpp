// SPDX-License-Identifier: Apache-2.0
#include "layers/conv1d.h"

namespace strata {

layers::Conv1D::Conv1D(Dim filters, const Sizes& kernel_size, const ConvOptions& options)
    : LayerRef(make_convolution(1, filters, kernel_size, options)) {}

void register_conv1d(LayerRegistry& registry) {
  registry.add(convolution_entry(1));
  registry.add_alias("Convolution1D", "Conv1D");
}

}  // namespace strata
