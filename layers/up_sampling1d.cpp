// SPDX-License-Identifier: Apache-2.0
#include "layers/up_sampling1d.h"

namespace strata {

layers::UpSampling1D::UpSampling1D(Dim size, const LayerOptions& options)
    : LayerRef(
          make_up_sampling(1, size, {.name = options.name, .trainable = options.trainable, .dtype = options.dtype})) {}

void register_up_sampling1d(LayerRegistry& registry) { registry.add(up_sampling_entry(1)); }

}  // namespace strata
