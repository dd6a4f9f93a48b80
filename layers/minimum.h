// SPDX-License-Identifier: Apache-2.0
// Minimum: smallest of several tensors.
#pragma once

#include "core/model/layer.h"

namespace strata::layers {

/// y = min(x1, x2, ...). A time step that the mask of an input skips does not take part; it keeps the first input's
/// value where the masks of all inputs skip it. Inputs: of equal batch, with shapes that broadcast; those of lower rank
/// get axes of size 1 behind the batch. Throws ConfigError for no input, ShapeError for shapes that do not broadcast.
class Minimum : public LayerRef {
 public:
  explicit Minimum(const LayerOptions& options = {});
};

/// The minimum as a call of a new layer.
Tensor minimum(const std::vector<Tensor>& inputs, const LayerOptions& options = {});

}  // namespace strata::layers
