// SPDX-License-Identifier: Apache-2.0
// Steps of an optimizer on given gradients, through the flat buffers and programs that training uses.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "core/training/optimizer_update.h"

namespace strata::testing {

/// Named first values, what training does with each, and the cut of the work, which must not change any bit.
struct OptimizerStepsOptions {
  std::vector<std::string> paths;
  std::vector<Tensor> start;
  std::vector<WeightRule> rules = {};  // without their variables; one a path, or none
  int threads = 1;
  std::size_t buckets = 1;  // at most one a variable
};

class OptimizerSteps {
 public:
  OptimizerSteps(const Optimizer& optimizer, const OptimizerStepsOptions& options);
  void apply(const std::vector<Tensor>& gradients);
  /// The part of apply() that is not the optimizer's.
  void copy_gradients(const std::vector<Tensor>& gradients);
  Tensor variable(std::size_t i) const { return variables_[i].value(); }
  std::vector<NamedSlot> slots() const { return state_->named_slots(optimizer_); }
  /// Of a variable alone.
  Tensor slot(const std::string& name) const;
  FlatState& state() { return *state_; }

 private:
  Optimizer optimizer_;
  std::vector<Variable> variables_;
  std::unique_ptr<FlatState> state_;
  std::vector<std::unique_ptr<Stream>> streams_;
  std::vector<std::unique_ptr<Storage>> gradients_;  // one a set
  std::unique_ptr<OptimizerUpdate> update_;
  std::size_t buckets_ = 0;
};

}  // namespace strata::testing
