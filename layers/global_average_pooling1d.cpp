// SPDX-License-Identifier: Apache-2.0
#include "layers/global_average_pooling1d.h"

namespace strata {

layers::GlobalAveragePooling1D::GlobalAveragePooling1D(const GlobalPoolingOptions& options)
    : LayerRef(make_global_pooling(GlobalPooling::average, 1, options)) {}

void register_global_average_pooling1d(LayerRegistry& registry) {
  registry.add(global_pooling_entry(GlobalPooling::average, 1));
  registry.add_alias("GlobalAvgPool1D", "GlobalAveragePooling1D");
}

}  // namespace strata
