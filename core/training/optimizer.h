// SPDX-License-Identifier: Apache-2.0
// Optimizers: an elementwise rule from (variable, gradient, slots) to (variable, slots), written in ops and compiled.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "core/base/config.h"
#include "core/tensor/tensor.h"

namespace strata {

/// A range of the flat buffers, as 1-D tensors of one floating dtype, and the step's numbers.
struct UpdateInputs {
  Tensor variable;
  Tensor gradient;
  std::vector<Tensor> slots;  // in the order of OptimizerRule::slots()
  Tensor learning_rate;       // scalar of the variable's dtype
  Tensor iteration;           // int64 scalar: updates done before this one
};

/// One value kept for every element of every trainable variable.
struct SlotSpec {
  std::string name;  // Keras' name: "velocity"
  double initial = 0.0;
};

/// What a user derives from to write an optimizer. Immutable; thread-safe.
class OptimizerRule {
 public:
  virtual ~OptimizerRule() = default;
  /// The Keras class name: "RMSprop".
  virtual std::string class_name() const = 0;
  /// The constructor's arguments under Keras' names, without the learning rate.
  virtual Config config() const = 0;
  virtual std::vector<SlotSpec> slots() const { return {}; }
  /// The new variable, then the new slots. Must be elementwise over the range, so that any cut of it gives the same
  /// bits.
  virtual std::vector<Tensor> update(const UpdateInputs& inputs) const = 0;
  /// Whether an update may only begin when every gradient of the step is known.
  virtual bool needs_all_gradients() const { return false; }
};

/// A handle on an optimizer and its learning rate; also made from a Keras name such as "rmsprop". Copies mean the same
/// optimizer: a rate set on one holds for all, and for the model compiled with it.
class Optimizer {
 public:
  Optimizer() = default;
  /// Throws ConfigError unless the learning rate is finite and not negative.
  Optimizer(std::shared_ptr<const OptimizerRule> rule, double learning_rate);
  /// Throws ConfigError "Unknown optimizer: x".
  Optimizer(const char* name) : Optimizer(std::string(name)) {}  // NOLINT(google-explicit-constructor)
  Optimizer(const std::string& name);                            // NOLINT(google-explicit-constructor)

  const OptimizerRule& operator*() const { return *state_->rule; }
  const OptimizerRule* operator->() const { return state_->rule.get(); }
  explicit operator bool() const { return state_ != nullptr; }
  double learning_rate() const { return state_->learning_rate; }
  void set_learning_rate(double learning_rate);

 private:
  struct State {
    std::shared_ptr<const OptimizerRule> rule;
    double learning_rate;
  };
  std::shared_ptr<State> state_;
};

namespace optimizers {

struct SGDOptions {
  double learning_rate = 0.01;
  double momentum = 0.0;
  bool nesterov = false;
};
struct RMSpropOptions {
  double learning_rate = 0.001;
  double rho = 0.9;
  double momentum = 0.0;
  double epsilon = 1e-7;
  bool centered = false;
};
struct AdamOptions {
  double learning_rate = 0.001;
  double beta_1 = 0.9;
  double beta_2 = 0.999;
  double epsilon = 1e-7;
  bool amsgrad = false;
};

/// w -= lr g; with momentum m: v = m v - lr g, w += v, nesterov w += m v - lr g. Keras 3's formulas here and below.
/// Throws ConfigError unless momentum is in [0, 1].
Optimizer SGD(const SGDOptions& options = {});
/// v = rho v + (1 - rho) g^2; w -= lr g / sqrt(v + epsilon); centered subtracts the squared mean gradient under the
/// root. Throws ConfigError unless rho and momentum are in [0, 1] and epsilon is not negative.
Optimizer RMSprop(const RMSpropOptions& options = {});
/// m += (g - m)(1 - b1); v += (g^2 - v)(1 - b2); w -= lr sqrt(1 - b2^t)/(1 - b1^t) m / (sqrt(v) + epsilon). Throws
/// ConfigError unless both betas are in [0, 1) and epsilon is not negative.
Optimizer Adam(const AdamOptions& options = {});

}  // namespace optimizers
}  // namespace strata
