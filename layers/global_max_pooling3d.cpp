// SPDX-License-Identifier: Apache-2.0
#include "layers/global_max_pooling3d.h"

namespace strata {

layers::GlobalMaxPooling3D::GlobalMaxPooling3D(const GlobalPoolingOptions& options)
    : LayerRef(make_global_pooling(GlobalPooling::max, 3, options)) {}

void register_global_max_pooling3d(LayerRegistry& registry) {
  registry.add(global_pooling_entry(GlobalPooling::max, 3));
  registry.add_alias("GlobalMaxPool3D", "GlobalMaxPooling3D");
}

}  // namespace strata
