// SPDX-License-Identifier: Apache-2.0
#include "layers/spatial_dropout1d.h"

namespace strata {

layers::SpatialDropout1D::SpatialDropout1D(double rate, const RandomLayerOptions& options)
    : LayerRef(make_spatial_dropout(
          1, rate,
          {.seed = options.seed, .name = options.name, .trainable = options.trainable, .dtype = options.dtype})) {}

void register_spatial_dropout1d(LayerRegistry& registry) { registry.add(spatial_dropout_entry(1)); }

}  // namespace strata
