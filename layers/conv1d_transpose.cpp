// SPDX-License-Identifier: Apache-2.0
#include "layers/conv1d_transpose.h"

namespace strata {

layers::Conv1DTranspose::Conv1DTranspose(Dim filters, const Sizes& kernel_size, const ConvTransposeOptions& options)
    : LayerRef(make_transposed_convolution(1, filters, kernel_size, options)) {}

void register_conv1d_transpose(LayerRegistry& registry) {
  registry.add(transposed_convolution_entry(1));
  registry.add_alias("Convolution1DTranspose", "Conv1DTranspose");
}

}  // namespace strata
