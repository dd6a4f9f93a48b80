// SPDX-License-Identifier: Apache-2.0
#include "layers/zero_padding1d.h"

namespace strata {

layers::ZeroPadding1D::ZeroPadding1D(const Sizes& padding, const ZeroPaddingOptions& options)
    : LayerRef(make_edges_1d(EdgeChange::zero_padding, padding, options)) {}

void register_zero_padding1d(LayerRegistry& registry) { registry.add(edges_entry(EdgeChange::zero_padding, 1)); }

}  // namespace strata
