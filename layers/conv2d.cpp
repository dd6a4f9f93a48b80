// SPDX-License-Identifier: Apache-2.0
#include "layers/conv2d.h"

namespace strata {

layers::Conv2D::Conv2D(Dim filters, const Sizes& kernel_size, const ConvOptions& options)
    : LayerRef(make_convolution(2, filters, kernel_size, options)) {}

void register_conv2d(LayerRegistry& registry) {
  registry.add(convolution_entry(2));
  registry.add_alias("Convolution2D", "Conv2D");
}

}  // namespace strata
