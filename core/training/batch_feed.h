// SPDX-License-Identifier: Apache-2.0
// Internal to Trainer: the batches of checked data, as the engine takes them: rows of arrays in memory where they
// stand, or this rank's samples as a loader has read them.
#pragma once

#include <memory>
#include <optional>

#include "core/training/batch_loader.h"
#include "core/training/step_engine.h"
#include "core/training/trainer.h"

namespace strata {

/// What of the data is wanted.
struct FeedOptions {
  Dim batch_size;
  Dim steps = 0;  // an epoch; 0 = all of the data
  bool shuffle = false;
  std::int64_t epochs = 1;  // reading ahead ends there
};

/// Which sample stands where in an epoch.
SampleOrder order_of(const CheckedArrays& data, const FeedOptions& options, std::uint64_t seed);

/// Used from one thread. Not collective.
class BatchFeed {
 public:
  /// `data` outlives this; `blocks` as the engine cuts batches.
  BatchFeed(const CheckedArrays& data, const FeedOptions& options, std::uint64_t seed, Dim blocks,
            const Communicator& communicator);

  Dim steps() const { return plan_.steps; }
  /// `epoch` counts those since compile. Valid until the next call. Throws what reading throws.
  Batch batch(std::int64_t epoch, Dim step);

 private:
  const CheckedArrays& data_;
  BatchPlan plan_;
  std::uint64_t seed_;
  bool shuffle_;
  std::int64_t epoch_ = -1;           // that of order_
  std::optional<Permutation> order_;  // of arrays in memory
  std::unique_ptr<BatchLoader> loader_;
};

}  // namespace strata
