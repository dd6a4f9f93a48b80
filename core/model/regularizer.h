// SPDX-License-Identifier: Apache-2.0
// Regularizers: a penalty on a weight (or on a layer's output) that is added to the loss, under Keras' names and
// defaults.
#pragma once

#include <string>

#include "core/model/weight_function.h"

namespace strata {

/// From a weight to a scalar of its dtype; or none. A weight's penalty counts once a step, however many blocks and
/// ranks there are.
class Regularizer : public WeightFunction {
 public:
  Regularizer() = default;
  Regularizer(std::nullptr_t) {}  // NOLINT(google-explicit-constructor): Keras' None
  /// By Keras name: "l1", "l2", "l1l2", "orthogonal_regularizer", or a class name. Throws ConfigError
  /// "Unknown regularizer: x".
  Regularizer(const char* name) : Regularizer(std::string(name)) {}  // NOLINT(google-explicit-constructor)
  Regularizer(const std::string& name);                              // NOLINT(google-explicit-constructor)
  /// What Keras would serialise as `class_name` and `config`; `penalty` is differentiable.
  Regularizer(std::string class_name, Config config, Function penalty)
      : WeightFunction(std::move(class_name), std::move(config), std::move(penalty)) {}
  /// Reads what config() wrote, a name, or null. Throws ConfigError for an unknown class or argument.
  static Regularizer from_config(const Config& config);
};

namespace regularizers {

/// l1 sum |w|.
Regularizer L1(double l1 = 0.01);
/// l2 sum w^2.
Regularizer L2(double l2 = 0.01);
/// l1 sum |w| + l2 sum w^2.
Regularizer L1L2(double l1 = 0.0, double l2 = 0.0);
/// factor times the mean |cosine| between different rows (mode "rows") or columns ("columns") of a matrix. Throws
/// ConfigError for another mode, ShapeError for a weight that is not a matrix.
Regularizer OrthogonalRegularizer(double factor = 0.01, const std::string& mode = "rows");

}  // namespace regularizers
}  // namespace strata
