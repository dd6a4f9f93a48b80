// SPDX-License-Identifier: Apache-2.0
// Internal: when a run of fit writes checkpoints, and when it stops because it was told to.
#pragma once

#include <functional>
#include <string>

#include "core/training/checkpoint.h"
#include "core/training/checkpoint_writer.h"

namespace strata {

/// Throws ConfigError for options that cannot be honoured.
void check_checkpoint_options(const CheckpointOptions& options, const std::string& resume);

/// Used from the thread that trains. Collective.
class CheckpointSchedule {
 public:
  using TakeSnapshot = std::function<RunSnapshot(const ShardPlace& place)>;

  /// `begun_at` is the step that the run continues from, 0 for a new one: that has its checkpoint. Takes a snapshot of
  /// it all the same, to see what later ones will be like.
  CheckpointSchedule(Communicator& communicator, const CheckpointOptions& options, std::int64_t begun_at,
                     TakeSnapshot take);

  /// After step number `step` of the run, or at the end of an epoch, or of the run. Throws IoError on all ranks when a
  /// checkpoint could not be written, Preempted once the run was told to stop and has saved.
  void after_step(std::int64_t step, bool last);
  void after_epoch(std::int64_t step);
  /// Every checkpoint is complete when this returns, the last of them of the present step.
  void end(std::int64_t step);

 private:
  using Clock = std::chrono::steady_clock;
  void consider(std::int64_t step, bool due);
  bool time_is_over() const;
  bool must_stop();
  void save(std::int64_t step);

  Communicator& communicator_;
  CheckpointOptions options_;
  TakeSnapshot take_;
  CheckpointWriter writer_;
  std::int64_t saved_;              // the step of the last checkpoint
  Clock::time_point last_save_;     // when it was begun, or the run
  Clock::time_point last_look_;     // when the step before was over
  Clock::duration longest_step_{};  // so far
};

}  // namespace strata
