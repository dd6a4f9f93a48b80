// SPDX-License-Identifier: Apache-2.0
#include "layers/cropping3d.h"

namespace strata {

layers::Cropping3D::Cropping3D(const SizePairs& cropping, const CroppingOptions& options)
    : LayerRef(make_edges(EdgeChange::cropping, 3, cropping, options)) {}

void register_cropping3d(LayerRegistry& registry) { registry.add(edges_entry(EdgeChange::cropping, 3)); }

}  // namespace strata
