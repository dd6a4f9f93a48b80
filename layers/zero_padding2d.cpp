// SPDX-License-Identifier: Apache-2.0
#include "layers/zero_padding2d.h"

namespace strata {

layers::ZeroPadding2D::ZeroPadding2D(const SizePairs& padding, const ZeroPaddingOptions& options)
    : LayerRef(make_edges(EdgeChange::zero_padding, 2, padding, options)) {}

void register_zero_padding2d(LayerRegistry& registry) { registry.add(edges_entry(EdgeChange::zero_padding, 2)); }

}  // namespace strata
