// SPDX-License-Identifier: Apache-2.0
// A training run of a model whose layers use statistics of the whole batch, for comparing blocks and ranks.
#pragma once

#include <cstdint>
#include <vector>

#include "core/base/shape.h"

namespace strata::testing {

struct SynchronizedRun {
  std::uint64_t weights_hash = 0;
  std::vector<std::vector<double>> weights;  // moving statistics among them
  std::vector<double> losses;                // of every training step, then of an evaluation
  friend bool operator==(const SynchronizedRun&, const SynchronizedRun&) = default;
};

/// `steps` steps of plain descent on batches of `batch` samples cut into `blocks` (0 = one a rank), on the ranks of the
/// current session. Two BatchNormalization layers, of features far from mean 0, have `synchronized` set or not.
SynchronizedRun train_with_batch_statistics(Dim batch, Dim blocks, int steps, bool synchronized = true);

}  // namespace strata::testing
