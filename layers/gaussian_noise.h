// SPDX-License-Identifier: Apache-2.0
// GaussianNoise: regularisation by additive noise.
#pragma once

#include "layers/random_layer.h"

namespace strata::layers {

/// In training adds to each element a normal number of mean 0 and standard deviation `stddev`; otherwise the identity.
/// The numbers depend on seed, step, layer call and global sample index only. Output: the input's shape. Throws
/// ConfigError unless 0 <= stddev <= 1.
class GaussianNoise : public LayerRef {
 public:
  explicit GaussianNoise(double stddev, const RandomLayerOptions& options = {});
};

}  // namespace strata::layers
