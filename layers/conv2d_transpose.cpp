// SPDX-License-Identifier: Apache-2.0
#include "layers/conv2d_transpose.h"

namespace strata {

layers::Conv2DTranspose::Conv2DTranspose(Dim filters, const Sizes& kernel_size, const ConvTransposeOptions& options)
    : LayerRef(make_transposed_convolution(2, filters, kernel_size, options)) {}

void register_conv2d_transpose(LayerRegistry& registry) {
  registry.add(transposed_convolution_entry(2));
  registry.add_alias("Convolution2DTranspose", "Conv2DTranspose");
}

}  // namespace strata
