// SPDX-License-Identifier: Apache-2.0
#include "layers/global_average_pooling2d.h"

namespace strata {

layers::GlobalAveragePooling2D::GlobalAveragePooling2D(const GlobalPoolingOptions& options)
    : LayerRef(make_global_pooling(GlobalPooling::average, 2, options)) {}

void register_global_average_pooling2d(LayerRegistry& registry) {
  registry.add(global_pooling_entry(GlobalPooling::average, 2));
  registry.add_alias("GlobalAvgPool2D", "GlobalAveragePooling2D");
}

}  // namespace strata
