// SPDX-License-Identifier: Apache-2.0
#include "layers/up_sampling2d.h"

namespace strata {

layers::UpSampling2D::UpSampling2D(const Sizes& size, const UpSampling2DOptions& options)
    : LayerRef(make_up_sampling(2, size, options)) {}

void register_up_sampling2d(LayerRegistry& registry) { registry.add(up_sampling_entry(2)); }

}  // namespace strata
