// SPDX-License-Identifier: Apache-2.0
// Internal to StepEngine: applies the optimizer to one range of the flat buffers, in place, on several threads.
#pragma once

#include <exception>
#include <memory>
#include <vector>

#include "core/program/blocks.h"
#include "core/program/program.h"
#include "core/training/flat_state.h"

namespace strata {

class BucketUpdate {
 public:
  /// Elements [first, first + count) of `set`, which are whole variables; `gradient` is where their summed gradient
  /// will be. Variables with a learning-rate factor or a constraint are updated by programs of their own.
  BucketUpdate(const OptimizerRule& rule, const FlatSet& set, Dim first, Dim count, void* gradient, Device& device,
               int threads);
  /// Allocates nothing. The result does not depend on the number of threads: rules are elementwise.
  void run(double learning_rate, std::int64_t iteration, std::span<const std::unique_ptr<Stream>> streams);

 private:
  /// Elements [first, last) of variables without rules of their own, one part a thread.
  void add_range(IndexRange range, int threads);
  /// One part; `weight` is the rule of the only variable in it, or null.
  void add_part(IndexRange range, const WeightRule* weight);

  const OptimizerRule& rule_;
  const FlatSet& set_;
  std::byte* gradient_;  // of element 0 of the set
  Device& device_;
  Dtype dtype_;
  std::shared_ptr<Storage> numbers_;  // learning rate, then iteration at byte 8
  std::vector<std::unique_ptr<RunState>> parts_;
  std::vector<std::exception_ptr> errors_;
};

}  // namespace strata
