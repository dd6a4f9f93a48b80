// SPDX-License-Identifier: Apache-2.0
// Internal to Timeline: events as a file of the Trace Event Format (JSON), which Chrome and Perfetto read.
#pragma once

#include <span>
#include <string>
#include <vector>

#include "core/base/timeline_recorder.h"
#include "core/program/clock_offset.h"

namespace strata {

struct TimelineOfRank {
  std::string name;  // "rank 1 (host node2, pid 4711)"
  std::vector<TimelineEvent> events;
  std::size_t dropped = 0;
  ClockOffset begin;  // of its clock, when the events began and when they ended
  ClockOffset end;
};

/// Throws IoError when it cannot be written.
void write_timeline(const std::string& path, std::span<const TimelineOfRank> ranks);

}  // namespace strata
