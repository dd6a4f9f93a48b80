// SPDX-License-Identifier: Apache-2.0
#include "layers/average_pooling3d.h"

namespace strata {

layers::AveragePooling3D::AveragePooling3D(const Sizes& pool_size, const PoolingOptions& options)
    : LayerRef(make_pooling(average_pooling(3), pool_size, options)) {}

void register_average_pooling3d(LayerRegistry& registry) {
  registry.add(pooling_entry(average_pooling(3)));
  registry.add_alias("AvgPool3D", "AveragePooling3D");
}

}  // namespace strata
