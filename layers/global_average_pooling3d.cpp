// SPDX-License-Identifier: Apache-2.0
#include "layers/global_average_pooling3d.h"

namespace strata {

layers::GlobalAveragePooling3D::GlobalAveragePooling3D(const GlobalPoolingOptions& options)
    : LayerRef(make_global_pooling(GlobalPooling::average, 3, options)) {}

void register_global_average_pooling3d(LayerRegistry& registry) {
  registry.add(global_pooling_entry(GlobalPooling::average, 3));
  registry.add_alias("GlobalAvgPool3D", "GlobalAveragePooling3D");
}

}  // namespace strata
