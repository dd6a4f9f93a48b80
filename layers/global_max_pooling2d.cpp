// SPDX-License-Identifier: Apache-2.0
#include "layers/global_max_pooling2d.h"

namespace strata {

layers::GlobalMaxPooling2D::GlobalMaxPooling2D(const GlobalPoolingOptions& options)
    : LayerRef(make_global_pooling(GlobalPooling::max, 2, options)) {}

void register_global_max_pooling2d(LayerRegistry& registry) {
  registry.add(global_pooling_entry(GlobalPooling::max, 2));
  registry.add_alias("GlobalMaxPool2D", "GlobalMaxPooling2D");
}

}  // namespace strata
