// SPDX-License-Identifier: Apache-2.0
// Softmax: as a layer, with a mask.
#pragma once

#include "core/model/layer.h"
#include "layers/axes.h"

namespace strata::layers {

/// y = e^x / (the sum of e^x over `axis`, one axis or several). Where a mask is false y is 0 and x does not count; the
/// mask broadcasts to the input. Output: the input's shape; floating inputs only. Throws ShapeError for rank below 2,
/// for axes that the input does not have and for a mask that does not broadcast.
class Softmax : public LayerRef {
 public:
  explicit Softmax(const Axes& axis = -1, const LayerOptions& options = {});
};

}  // namespace strata::layers
