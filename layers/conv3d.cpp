// SPDX-License-Identifier: Apache-2.0
#include "layers/conv3d.h"

namespace strata {

layers::Conv3D::Conv3D(Dim filters, const Sizes& kernel_size, const ConvOptions& options)
    : LayerRef(make_convolution(3, filters, kernel_size, options)) {}

void register_conv3d(LayerRegistry& registry) {
  registry.add(convolution_entry(3));
  registry.add_alias("Convolution3D", "Conv3D");
}

}  // namespace strata
