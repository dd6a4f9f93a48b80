// SPDX-License-Identifier: Apache-2.0
// ActivityRegularization: a penalty on what passes through.
#pragma once

#include "core/model/layer.h"

namespace strata::layers {

struct ActivityRegularizationOptions {
  double l1 = 0.0;
  double l2 = 0.0;
  std::string name = {};
  bool trainable = true;
  std::optional<DtypePolicy> dtype = {};
};

/// The identity, which adds (l1 sum |x| + l2 sum x^2) / batch size to the loss. Throws ConfigError for factors that are
/// negative or not finite.
class ActivityRegularization : public LayerRef {
 public:
  explicit ActivityRegularization(const ActivityRegularizationOptions& options = {});
};

}  // namespace strata::layers
