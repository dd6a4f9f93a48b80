// SPDX-License-Identifier: Apache-2.0
// ReLU: the rectified linear function as a layer.
#pragma once

#include <optional>
#include <string>

#include "core/model/layer.h"

namespace strata::layers {

struct ReLUOptions {
  std::optional<double> max_value = {};  // empty = unlimited
  double negative_slope = 0.0;
  double threshold = 0.0;
  std::string name = {};
  bool trainable = true;
  std::optional<DtypePolicy> dtype = {};
};

/// y = x between threshold and max_value, max_value above, negative_slope (x - threshold) up to the threshold. Output:
/// the input's shape; floating inputs only. Throws ConfigError for options below 0.
class ReLU : public LayerRef {
 public:
  explicit ReLU(const ReLUOptions& options = {});
};

}  // namespace strata::layers
