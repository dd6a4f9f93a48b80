// SPDX-License-Identifier: Apache-2.0
#include "layers/spatial_dropout2d.h"

namespace strata {

layers::SpatialDropout2D::SpatialDropout2D(double rate, const SpatialDropoutOptions& options)
    : LayerRef(make_spatial_dropout(2, rate, options)) {}

void register_spatial_dropout2d(LayerRegistry& registry) { registry.add(spatial_dropout_entry(2)); }

}  // namespace strata
