// SPDX-License-Identifier: Apache-2.0
// A picture of a run in time, of all ranks in one file, for chrome://tracing and https://ui.perfetto.dev:
//     Timeline timeline("run.json");
//     model.fit(x, y);
//     timeline.write();
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "core/base/timeline_recorder.h"
#include "core/program/clock_offset.h"
#include "core/program/communicator.h"

namespace strata {

struct TimelineOptions {
  std::shared_ptr<Communicator> communicator = {};  // whose ranks are in the file; null = the session's
  TimelineRecorder::Clock clock = {};               // of this rank; null = std::chrono::steady_clock
};

/// Records the steps of fit, evaluate and predict that this thread runs from here to write(): per block forward and
/// backward (which begins with the first gradient; the values of losses and metrics come at its end), in them each
/// instruction; loading of data; waiting for sums; the update; the transfer of each sum from its start until it is
/// there, on a track of its own; other collectives. On a device with streams of its own an instruction's time is that
/// of its launch.
///
/// Rank r is process r of the file, its threads and transfers are the tracks. Times are those of rank 0's clock. A rank
/// keeps kRankEvents events, fewer where that would be more than kEvents of all ranks together, 152 bytes each; later
/// ones are counted, and the file says how many.
class Timeline {
 public:
  static constexpr std::size_t kRankEvents = std::size_t{1} << 18;
  static constexpr std::size_t kEvents = std::size_t{1} << 21;

  /// Begins. Collective. The file is made at once: throws IoError on every rank when rank 0 cannot write it.
  explicit Timeline(std::string path, const TimelineOptions& options = {});
  /// Without write() the file stays empty.
  ~Timeline();
  Timeline(const Timeline&) = delete;
  Timeline& operator=(const Timeline&) = delete;

  /// Ends: rank 0 gathers all events and writes the file. Collective; on the thread that began, once. Throws IoError on
  /// every rank when the file cannot be written.
  void write();
  /// After write(), on rank 0: the events of all ranks that were too many to keep.
  std::size_t dropped() const { return dropped_; }

 private:
  void stop();

  std::string path_;
  std::shared_ptr<Communicator> held_;
  Communicator& communicator_;
  TimelineRecorder recorder_;
  std::vector<ClockOffset> begin_;  // of all ranks, on rank 0
  TimelineRecorder* previous_ = nullptr;
  bool recording_ = false;
  std::size_t dropped_ = 0;
};

}  // namespace strata
