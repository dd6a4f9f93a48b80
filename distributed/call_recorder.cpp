// SPDX-License-Identifier: Apache-2.0
#include "distributed/call_recorder.h"

namespace strata {

CallRecorder::Entry CallRecorder::start(const CallStamp& stamp, std::string_view name) {
  if (flight_) flight_->start(stamp, name);
  TimelineRecorder* timeline = TimelineRecorder::current();
  return {timeline, timeline == nullptr ? 0 : timeline->now()};
}

void CallRecorder::done(const Entry& entry, const CallStamp& stamp, std::string_view name, std::int32_t track) {
  if (flight_) flight_->done(stamp.number);
  if (entry.timeline == nullptr) return;
  const bool transfer = track >= TimelineRecorder::kTransfers;
  entry.timeline->add(transfer ? TimelineCategory::transfer : TimelineCategory::collective, track,
                      to_string(stamp.kind), name, entry.begin, entry.timeline->now(),
                      static_cast<std::int64_t>(stamp.bytes));
}

}  // namespace strata
