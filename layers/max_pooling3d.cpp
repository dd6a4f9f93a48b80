// SPDX-License-Identifier: Apache-2.0
#include "layers/max_pooling3d.h"

namespace strata {

layers::MaxPooling3D::MaxPooling3D(const Sizes& pool_size, const PoolingOptions& options)
    : LayerRef(make_pooling(max_pooling(3), pool_size, options)) {}

void register_max_pooling3d(LayerRegistry& registry) {
  registry.add(pooling_entry(max_pooling(3)));
  registry.add_alias("MaxPool3D", "MaxPooling3D");
}

}  // namespace strata
