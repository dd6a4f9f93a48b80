// SPDX-License-Identifier: Apache-2.0
// Checkpoints of a run of fit, from which it goes on where it stood, on any number of ranks; and runs that are told to
// save and stop.
#pragma once

#include <string>

#include "core/base/error.h"
#include "core/base/shape.h"

namespace strata {

/// Where and when fit writes checkpoints: directories of one common directory, which all ranks have to see. The bytes
/// are copied between two steps and written while training goes on; a write that failed ends training with an IoError
/// before the next one is due. io/checkpoint.md says what is in the files.
struct CheckpointOptions {
  std::string directory = {};  // "" = no checkpoints
  Dim every_steps = 0;         // training steps between two; with every_seconds whichever comes first
  double every_seconds = 0;    // neither = after every epoch
  int keep = 2;                // the last so many stay
  // Once the run is told to stop (see request_preemption), the last checkpoint has to be on the disk within so many
  // seconds; it trains on for as long as the time that earlier ones took permits. 0 = saves after the present step.
  double save_before = 0;
  // A rank's part of a checkpoint that is not on the disk after so many seconds ends training with an IoError: the file
  // system hangs, or is too slow.
  double deadline = 600;
  int most_shards = 32;  // up to so many ranks each write a file; when there are more, one of each host does for all
};

/// What fit throws after a run that was told to stop has written its checkpoint.
class Preempted : public Error {
 public:
  using Error::Error;
};

/// The exit code of programs that were told to stop and have saved: to be started again.
inline constexpr int kPreemptedExitCode = 85;

/// Tells all runs of this process that write checkpoints to save one, on all of their ranks, and stop with Preempted.
/// Told twice they do so after the present step. Safe in a signal handler.
void request_preemption() noexcept;

/// Calls request_preemption() for SIGTERM, SIGUSR1 and SIGINT, from now on. For programs; Strata does not do it by
/// itself. Throws InternalError when the system refuses.
void preempt_on_signals();

}  // namespace strata
