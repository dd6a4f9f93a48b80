// SPDX-License-Identifier: Apache-2.0
// GaussianDropout: regularisation by multiplicative noise.
#pragma once

#include "layers/random_layer.h"

namespace strata::layers {

/// In training multiplies each element by a normal number of mean 1 and standard deviation sqrt(rate / (1 - rate))
/// (Srivastava et al., 2014); otherwise the identity. The numbers depend on seed, step, layer call and global sample
/// index only. Output: the input's shape. Throws ConfigError unless 0 <= rate <= 1, and when called in training with a
/// rate of 1, whose deviation is infinite.
class GaussianDropout : public LayerRef {
 public:
  explicit GaussianDropout(double rate, const RandomLayerOptions& options = {});
};

}  // namespace strata::layers
