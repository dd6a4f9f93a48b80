// SPDX-License-Identifier: Apache-2.0
// Where the collective calls of a communicator are noted: in the flight recorder's file and in the timeline of the
// thread that drives it, each if it is on. Costs two branches when both are off.
#pragma once

#include <memory>
#include <optional>

#include "core/base/timeline_recorder.h"
#include "distributed/flight_recorder.h"

namespace strata {

/// Used by one thread at a time.
class CallRecorder {
 public:
  /// A call under way, in the timeline.
  struct Entry {
    TimelineRecorder* timeline = nullptr;  // null: in none
    std::int64_t begin = 0;
  };

  /// Throws IoError as FlightRecorder does. `group`: as there.
  CallRecorder(const Transport& transport, const FlightGroup* group)
      : flight_(FlightRecorder::from_environment(transport, group)) {}

  /// `name`: what it is about, for people.
  Entry start(const CallStamp& stamp, std::string_view name);
  /// `track`: of the timeline.
  void done(const Entry& entry, const CallStamp& stamp, std::string_view name, std::int32_t track);
  void fail(std::string_view error) {
    if (flight_) flight_->fail(error);
  }
  void finish() {
    if (flight_) flight_->finish();
  }
  /// Of this rank's part after the next split, where a flight recorder wants to know.
  std::optional<FlightGroup> next_part(int color) {
    return flight_ ? std::optional(flight_->next_part(color)) : std::nullopt;
  }

 private:
  std::unique_ptr<FlightRecorder> flight_;
};

}  // namespace strata
