// SPDX-License-Identifier: Apache-2.0
#include "layers/average_pooling1d.h"

namespace strata {

layers::AveragePooling1D::AveragePooling1D(const Sizes& pool_size, const PoolingOptions& options)
    : LayerRef(make_pooling(average_pooling(1), pool_size, options)) {}

void register_average_pooling1d(LayerRegistry& registry) {
  registry.add(pooling_entry(average_pooling(1)));
  registry.add_alias("AvgPool1D", "AveragePooling1D");
}

}  // namespace strata
