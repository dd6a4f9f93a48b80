// SPDX-License-Identifier: Apache-2.0
#include "layers/spatial_dropout3d.h"

namespace strata {

layers::SpatialDropout3D::SpatialDropout3D(double rate, const SpatialDropoutOptions& options)
    : LayerRef(make_spatial_dropout(3, rate, options)) {}

void register_spatial_dropout3d(LayerRegistry& registry) { registry.add(spatial_dropout_entry(3)); }

}  // namespace strata
