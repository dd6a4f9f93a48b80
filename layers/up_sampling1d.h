// SPDX-License-Identifier: Apache-2.0
// UpSampling1D: enlarging one spatial axis.
#pragma once

#include "layers/up_sampling.h"

namespace strata::layers {

/// Repeats each step `size` times. Input (batch, steps, channels); output (batch, steps * size, channels). Throws
/// ConfigError for a size that is not positive; when called, ShapeError for an input of another rank.
class UpSampling1D : public LayerRef {
 public:
  explicit UpSampling1D(Dim size = 2, const LayerOptions& options = {});
};

}  // namespace strata::layers
