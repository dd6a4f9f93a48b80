// SPDX-License-Identifier: Apache-2.0
#include "layers/cropping1d.h"

namespace strata {

layers::Cropping1D::Cropping1D(const Sizes& cropping, const LayerOptions& options)
    : LayerRef(make_edges_1d(EdgeChange::cropping, cropping,
                             {.name = options.name, .trainable = options.trainable, .dtype = options.dtype})) {}

void register_cropping1d(LayerRegistry& registry) { registry.add(edges_entry(EdgeChange::cropping, 1)); }

}  // namespace strata
