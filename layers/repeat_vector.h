// SPDX-License-Identifier: Apache-2.0
// RepeatVector: the same features at every time step.
#pragma once

#include "core/model/layer.h"

namespace strata::layers {

/// Input (batch, features); output (batch, n, features), n times the input. Throws ConfigError for n < 1, ShapeError
/// for an input of another rank.
class RepeatVector : public LayerRef {
 public:
  explicit RepeatVector(Dim n, const LayerOptions& options = {});
};

}  // namespace strata::layers
