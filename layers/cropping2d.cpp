// SPDX-License-Identifier: Apache-2.0
#include "layers/cropping2d.h"

namespace strata {

layers::Cropping2D::Cropping2D(const SizePairs& cropping, const CroppingOptions& options)
    : LayerRef(make_edges(EdgeChange::cropping, 2, cropping, options)) {}

void register_cropping2d(LayerRegistry& registry) { registry.add(edges_entry(EdgeChange::cropping, 2)); }

}  // namespace strata
