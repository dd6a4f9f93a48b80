// SPDX-License-Identifier: Apache-2.0
#include "layers/zero_padding3d.h"

namespace strata {

layers::ZeroPadding3D::ZeroPadding3D(const SizePairs& padding, const ZeroPaddingOptions& options)
    : LayerRef(make_edges(EdgeChange::zero_padding, 3, padding, options)) {}

void register_zero_padding3d(LayerRegistry& registry) { registry.add(edges_entry(EdgeChange::zero_padding, 3)); }

}  // namespace strata
