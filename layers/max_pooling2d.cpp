// SPDX-License-Identifier: Apache-2.0
#include "layers/max_pooling2d.h"

namespace strata {

layers::MaxPooling2D::MaxPooling2D(const Sizes& pool_size, const PoolingOptions& options)
    : LayerRef(make_pooling(max_pooling(2), pool_size, options)) {}

void register_max_pooling2d(LayerRegistry& registry) {
  registry.add(pooling_entry(max_pooling(2)));
  registry.add_alias("MaxPool2D", "MaxPooling2D");
}

}  // namespace strata
