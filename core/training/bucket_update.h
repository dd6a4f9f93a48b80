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
  /// Elements [first, first + count) of `set`; `gradient` is where their summed gradient will be.
  BucketUpdate(const OptimizerRule& rule, const FlatSet& set, Dim first, Dim count, void* gradient, Device& device,
               int threads);
  /// Allocates nothing. The result does not depend on the number of threads: rules are elementwise.
  void run(double learning_rate, std::int64_t iteration, std::span<const std::unique_ptr<Stream>> streams);

 private:
  void add_part(const OptimizerRule& rule, const FlatSet& set, IndexRange range, std::byte* gradient);

  Device& device_;
  Dtype dtype_;
  std::shared_ptr<Storage> numbers_;  // learning rate, then iteration at byte 8
  std::vector<std::unique_ptr<RunState>> parts_;
  std::vector<std::exception_ptr> errors_;
};

}  // namespace strata
