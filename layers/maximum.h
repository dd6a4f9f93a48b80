// SPDX-License-Identifier: Apache-2.0
// Maximum: largest of several tensors.
#pragma once

#include "core/model/layer.h"

namespace strata::layers {

/// y = max(x1, x2, ...). A time step that the mask of an input skips does not take part; it keeps the first input's
/// value where the masks of all inputs skip it. Inputs: of equal batch, with shapes that broadcast; those of lower rank
/// get axes of size 1 behind the batch. Throws ConfigError for no input, ShapeError for shapes that do not broadcast.
class Maximum : public LayerRef {
 public:
  explicit Maximum(const LayerOptions& options = {});
};

/// The maximum as a call of a new layer.
Tensor maximum(const std::vector<Tensor>& inputs, const LayerOptions& options = {});

}  // namespace strata::layers
