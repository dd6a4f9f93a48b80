// SPDX-License-Identifier: Apache-2.0
#include "layers/conv3d_transpose.h"

namespace strata {

layers::Conv3DTranspose::Conv3DTranspose(Dim filters, const Sizes& kernel_size, const ConvTransposeOptions& options)
    : LayerRef(make_transposed_convolution(3, filters, kernel_size, options)) {}

void register_conv3d_transpose(LayerRegistry& registry) {
  registry.add(transposed_convolution_entry(3));
  registry.add_alias("Convolution3DTranspose", "Conv3DTranspose");
}

}  // namespace strata
