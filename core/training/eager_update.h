// SPDX-License-Identifier: Apache-2.0
// Internal to Optimizer: what apply_gradients keeps of the weights it updates.
#pragma once

#include <memory>
#include <vector>

#include "core/training/optimizer_update.h"

namespace strata {

/// The slots of one list of weights, and the update of all of them as one bucket. Used from one thread.
class EagerUpdate {
 public:
  /// `optimizer` must not own this.
  EagerUpdate(const Optimizer& optimizer, const Layer& model);
  /// Throws ConfigError unless the trainable weights of `model` are those that the slots are for.
  void require_same(const Layer& model) const;
  void apply(const std::vector<Gradient>& gradients);
  double loss_scale() { return state_.loss_scale().scale; }
  void finalize() { state_.finalize_variable_values(optimizer_); }

 private:
  void load(const std::vector<Gradient>& gradients);

  Optimizer optimizer_;
  std::vector<Variable> variables_;
  FlatState state_;
  std::vector<Buffer> gradients_;  // one a set of the state, laid out as it is
  std::vector<std::unique_ptr<Stream>> streams_;
  OptimizerUpdate update_;
};

}  // namespace strata
