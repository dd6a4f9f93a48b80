// SPDX-License-Identifier: Apache-2.0
#include "layers/up_sampling3d.h"

namespace strata {

layers::UpSampling3D::UpSampling3D(const Sizes& size, const UpSampling3DOptions& options)
    : LayerRef(make_up_sampling(3, size,
                                {.data_format = options.data_format,
                                 .name = options.name,
                                 .trainable = options.trainable,
                                 .dtype = options.dtype})) {}

void register_up_sampling3d(LayerRegistry& registry) { registry.add(up_sampling_entry(3)); }

}  // namespace strata
