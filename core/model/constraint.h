// SPDX-License-Identifier: Apache-2.0
// Constraints: where a weight is moved to after every update, under Keras' names and defaults.
#pragma once

#include <string>
#include <vector>

#include "core/model/weight_function.h"

namespace strata {

/// From a weight to a weight of the same spec; or none.
class Constraint : public WeightFunction {
 public:
  Constraint() = default;
  Constraint(std::nullptr_t) {}  // NOLINT(google-explicit-constructor): Keras' None
  /// By Keras name: "max_norm", "non_neg", "unit_norm", "min_max_norm", or a class name. Throws ConfigError
  /// "Unknown constraint: x".
  Constraint(const char* name) : Constraint(std::string(name)) {}  // NOLINT(google-explicit-constructor)
  Constraint(const std::string& name);                             // NOLINT(google-explicit-constructor)
  /// What Keras would serialise as `class_name` and `config`.
  Constraint(std::string class_name, Config config, Function projection)
      : WeightFunction(std::move(class_name), std::move(config), std::move(projection)) {}
  /// Reads what config() wrote, a name, or null. Throws ConfigError for an unknown class or argument.
  static Constraint from_config(const Config& config);
};

namespace constraints {

/// Scales down what has a norm (over `axes`) above max_value: w clip(|w|, 0, max_value) / (1e-7 + |w|).
Constraint MaxNorm(double max_value = 2.0, const std::vector<int>& axes = {0});
/// max(w, 0).
Constraint NonNeg();
/// w / (1e-7 + |w|).
Constraint UnitNorm(const std::vector<int>& axes = {0});
/// Norms (over `axes`) move to their clip between min_value and max_value by the share `rate`:
/// w (rate clip(|w|, min_value, max_value) + (1 - rate) |w|) / (1e-7 + |w|).
Constraint MinMaxNorm(double min_value = 0.0, double max_value = 1.0, double rate = 1.0,
                      const std::vector<int>& axes = {0});

}  // namespace constraints
}  // namespace strata
