// SPDX-License-Identifier: Apache-2.0
// Counts what operator new hands out, in all threads. Linking this in replaces the global operators.
#pragma once

#include "core/training/callback.h"

namespace strata::testing {

void start_counting_allocations();
/// The number of allocations since counting started.
int stop_counting_allocations();
/// The bytes of the largest of them.
std::size_t largest_counted_allocation();

/// Counts those of training steps. Counting starts after the first steps and ends before the last: callbacks are told
/// of every step.
class AllocationsOfSteps final : public Callback {
 public:
  AllocationsOfSteps(Dim first, Dim last) : first_(first), last_(last) {}
  void on_train_batch_end(Dim batch, const Logs&) override {
    if (batch == first_) start_counting_allocations();
    if (batch == last_) allocations = stop_counting_allocations();
  }
  int allocations = -1;

 private:
  Dim first_, last_;
};

}  // namespace strata::testing
