// SPDX-License-Identifier: Apache-2.0
#include "layers/average_pooling2d.h"

namespace strata {

layers::AveragePooling2D::AveragePooling2D(const Sizes& pool_size, const PoolingOptions& options)
    : LayerRef(make_pooling(average_pooling(2), pool_size, options)) {}

void register_average_pooling2d(LayerRegistry& registry) {
  registry.add(pooling_entry(average_pooling(2)));
  registry.add_alias("AvgPool2D", "AveragePooling2D");
}

}  // namespace strata
