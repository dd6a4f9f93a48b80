// SPDX-License-Identifier: Apache-2.0
#include "layers/max_pooling1d.h"

namespace strata {

layers::MaxPooling1D::MaxPooling1D(const Sizes& pool_size, const PoolingOptions& options)
    : LayerRef(make_pooling(max_pooling(1), pool_size, options)) {}

void register_max_pooling1d(LayerRegistry& registry) {
  registry.add(pooling_entry(max_pooling(1)));
  registry.add_alias("MaxPool1D", "MaxPooling1D");
}

}  // namespace strata
