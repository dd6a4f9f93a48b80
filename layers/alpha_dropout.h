// SPDX-License-Identifier: Apache-2.0
// AlphaDropout: regularisation by leaving out, which keeps mean and variance.
#pragma once

#include "layers/dropout.h"

namespace strata::layers {

/// In training sets each element to the negative limit of SELU with probability `rate`, then scales and shifts all so
/// that inputs of mean 0 and variance 1 stay so (Klambauer et al., "Self-normalizing neural networks", 2017); otherwise
/// the identity. See Dropout. Throws ConfigError unless 0 <= rate <= 1, and when called in training with a rate of 1,
/// which leaves nothing to scale; ShapeError when noise_shape does not fit.
class AlphaDropout : public LayerRef {
 public:
  explicit AlphaDropout(double rate, const DropoutOptions& options = {});
};

}  // namespace strata::layers
