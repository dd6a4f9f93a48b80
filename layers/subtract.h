// SPDX-License-Identifier: Apache-2.0
// Subtract: difference of two tensors.
#pragma once

#include "core/model/layer.h"

namespace strata::layers {

/// y = x1 - x2.
/// Inputs: two of equal batch, with shapes that broadcast; the one of lower rank gets axes of size 1 behind the batch.
/// Throws ConfigError for another number of inputs, ShapeError for shapes that do not broadcast.
class Subtract : public LayerRef {
 public:
  explicit Subtract(const LayerOptions& options = {});
};

/// The difference as a call of a new layer.
Tensor subtract(const std::vector<Tensor>& inputs, const LayerOptions& options = {});

}  // namespace strata::layers
