// SPDX-License-Identifier: Apache-2.0
// Concatenate: several tensors one after the other.
#pragma once

#include "core/model/layer.h"

namespace strata::layers {

/// The inputs joined along `axis` (negative ones count from the end; 0 is the batch).
/// Inputs: of one rank and equal in all other axes. Output: their sizes along `axis` added up.
/// Throws ConfigError for no input, ShapeError for shapes that do not match.
class Concatenate : public LayerRef {
 public:
  explicit Concatenate(int axis = -1, const LayerOptions& options = {});
};

/// The same as a call of a new layer.
Tensor concatenate(const std::vector<Tensor>& inputs, int axis = -1, const LayerOptions& options = {});

}  // namespace strata::layers
