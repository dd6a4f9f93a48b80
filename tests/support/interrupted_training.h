// SPDX-License-Identifier: Apache-2.0
// A small training run that can be cut short after any step, and made again as a new process would make it.
#pragma once

#include <cstdint>
#include <stdexcept>

#include "core/training/model.h"

namespace strata::testing {

inline constexpr int kSmallEpochs = 4;
inline constexpr int kSmallSteps = 4;  // an epoch, the last of them with fewer samples

struct Interruption : std::runtime_error {
  Interruption() : std::runtime_error("interrupted") {}
};

/// Ends the process, as far as fit can tell, after so many steps of this run.
struct Interrupt : Callback {
  explicit Interrupt(int steps) : left(steps) {}
  void on_train_batch_begin(Dim) override {
    if (left-- == 0) throw Interruption();
  }
  int left;
};

/// (40, 6) and labels (40,).
Tensor small_x();
Tensor small_y();

/// Dense, dropout, batch normalization, dense; under the same names, on which random draws depend, and with the same
/// weights each time.
Model small_model(const Optimizer& optimizer, Dim units = 8, bool shard = false);
/// Adam at a rate of 0.01.
Optimizer small_adam();

/// Batches of 11, 4 epochs, validation.
FitOptions small_options(const std::vector<CallbackRef>& callbacks = {}, Dim blocks = 0);

struct SmallResult {
  std::uint64_t weights = 0;
  History history = {};
  friend bool operator==(const SmallResult& a, const SmallResult& b) {
    return a.weights == b.weights && a.history.epoch == b.history.epoch && a.history.history == b.history.history &&
           a.history.steps == b.history.steps;
  }
};

/// Trains to the end.
SmallResult train_small(Model model, const FitOptions& options);

}  // namespace strata::testing
