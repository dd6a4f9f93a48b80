// SPDX-License-Identifier: Apache-2.0
#include "layers/global_max_pooling1d.h"

namespace strata {

layers::GlobalMaxPooling1D::GlobalMaxPooling1D(const GlobalPoolingOptions& options)
    : LayerRef(make_global_pooling(GlobalPooling::max, 1, options)) {}

void register_global_max_pooling1d(LayerRegistry& registry) {
  registry.add(global_pooling_entry(GlobalPooling::max, 1));
  registry.add_alias("GlobalMaxPool1D", "GlobalMaxPooling1D");
}

}  // namespace strata
