// SPDX-License-Identifier: Apache-2.0
// LeakyReLU: a rectified linear function with a slope below 0.
#pragma once

#include "core/model/layer.h"

namespace strata::layers {

/// y = x above 0, negative_slope x below. Output: the input's shape; floating inputs only. Throws ConfigError for a
/// negative slope.
class LeakyReLU : public LayerRef {
 public:
  explicit LeakyReLU(double negative_slope = 0.3, const LayerOptions& options = {});
};

}  // namespace strata::layers
