// SPDX-License-Identifier: Apache-2.0
// PReLU: a rectified linear function whose slope below 0 is learnt.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "core/model/initializers.h"
#include "core/model/layer.h"

namespace strata::layers {

struct PReLUOptions {
  Initializer alpha_initializer = "zeros";
  Regularizer alpha_regularizer = {};
  Constraint alpha_constraint = {};
  std::vector<int> shared_axes = {};  // along which one slope serves; counted from 1, as 0 is the batch
  std::string name = {};
  bool trainable = true;
  std::optional<DtypePolicy> dtype = {};
};

/// y = x above 0, alpha x below (He et al., "Delving deep into rectifiers", 2015). Output: the input's shape; floating
/// inputs only. Weight: alpha, the input's shape without the batch, with 1 for shared axes. Throws ConfigError for
/// shared axes that the input does not have, ShapeError when a dimension of alpha is unknown or the input differs from
/// that of the first call.
class PReLU : public LayerRef {
 public:
  explicit PReLU(const PReLUOptions& options = {});
};

}  // namespace strata::layers
