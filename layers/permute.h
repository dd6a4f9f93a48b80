// SPDX-License-Identifier: Apache-2.0
// Permute: the axes of each sample in another order.
#pragma once

#include <vector>

#include "core/model/layer.h"

namespace strata::layers {

/// Axis i of the output is axis dims[i - 1] of the input; axes count from 1, the batch stays. `Permute({2, 1})` swaps
/// two axes. Throws ConfigError unless dims has every number from 1 on once, ShapeError for an input of another rank.
class Permute : public LayerRef {
 public:
  explicit Permute(const std::vector<int>& dims, const LayerOptions& options = {});
};

}  // namespace strata::layers
