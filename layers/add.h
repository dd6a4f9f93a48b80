// SPDX-License-Identifier: Apache-2.0
// Add: sum of several tensors.
#pragma once

#include "core/model/layer.h"

namespace strata::layers {

/// y = x1 + x2 + ..., added in this order.
/// Inputs: of equal batch, with shapes that broadcast; those of lower rank get axes of size 1 behind the batch.
/// Throws ConfigError for no input, ShapeError for shapes that do not broadcast.
class Add : public LayerRef {
 public:
  explicit Add(const LayerOptions& options = {});
};

/// The sum as a call of a new layer.
Tensor add(const std::vector<Tensor>& inputs, const LayerOptions& options = {});

}  // namespace strata::layers
