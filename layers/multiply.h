// SPDX-License-Identifier: Apache-2.0
// Multiply: product of several tensors.
#pragma once

#include "core/model/layer.h"

namespace strata::layers {

/// y = x1 x2 ..., multiplied in this order. Time steps that the mask of an input skips count as 1 there; those that the
/// masks of all inputs skip are 0.
/// Inputs: of equal batch, with shapes that broadcast; those of lower rank get axes of size 1 behind the batch.
/// Throws ConfigError for no input, ShapeError for shapes that do not broadcast.
class Multiply : public LayerRef {
 public:
  explicit Multiply(const LayerOptions& options = {});
};

/// The product as a call of a new layer.
Tensor multiply(const std::vector<Tensor>& inputs, const LayerOptions& options = {});

}  // namespace strata::layers
