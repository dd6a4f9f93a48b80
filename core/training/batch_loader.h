// SPDX-License-Identifier: Apache-2.0
// Internal to training: reads this rank's part of batch after batch from a source, ahead of the steps that need them.
#pragma once

#include <memory>
#include <span>
#include <vector>

#include "core/program/blocks.h"
#include "core/training/dataset.h"
#include "core/training/host_array.h"
#include "core/training/sample_order.h"

namespace strata {

/// The batches of an epoch, whose last one may be smaller, or is left out. Throws ConfigError when there is none.
Dim batches_of(Dim rows, Dim batch_size, bool drops_remainder = false);

/// Which batches there are, and which part of them is this rank's.
struct BatchPlan {
  Dim rows = 0;  // an epoch
  Dim batch_size = 0;
  Dim steps = 0;  // an epoch; batches 0 .. steps - 1 of it are read, and what is behind them in its order is not
  Dim blocks = 1;
  int ranks = 1;
  int rank = 0;
  std::int64_t epochs = 0;  // nothing is read ahead for this epoch and those behind it

  Dim size(Dim step) const { return std::min(batch_size, rows - step * batch_size); }
  IndexRange own(Dim step) const { return rank_samples(size(step), blocks, ranks, rank); }
};

/// Used from one thread; the threads that read are its own, and know nothing of ranks. They hold the source, and end
/// with this. One that hangs in a read is left to itself after a second.
class BatchLoader {
 public:
  BatchLoader(SampleSourceRef source, SampleOrder order, const BatchPlan& plan, const PrefetchOptions& options);
  ~BatchLoader();
  BatchLoader(const BatchLoader&) = delete;
  BatchLoader& operator=(const BatchLoader&) = delete;

  /// The arrays of this rank's samples of a batch, valid until the next call: as many rows as plan.own(step) has, and
  /// room for more. The next batch is ready when reading was faster than the step; any other costs a new beginning.
  /// Throws what the source threw, IoError when the deadline passes.
  std::span<const HostArray> load(std::int64_t epoch, Dim step);

 private:
  struct State;
  std::shared_ptr<State> state_;
};

}  // namespace strata
