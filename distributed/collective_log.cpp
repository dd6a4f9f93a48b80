// SPDX-License-Identifier: Apache-2.0
#include "distributed/collective_log.h"

namespace strata {

CollectiveLog::Entry CollectiveLog::start(const CallStamp& call, std::string_view name) {
  Entry entry;
  if (flight_) entry.sequence = flight_->start(call, name);
  entry.timeline = TimelineRecorder::current();
  if (entry.timeline != nullptr) entry.begin = entry.timeline->now();
  return entry;
}

void CollectiveLog::done(const Entry& entry, const CallStamp& call, std::string_view name, std::int32_t track) {
  if (flight_) flight_->done(entry.sequence);
  if (entry.timeline == nullptr) return;
  const bool transfer = track >= TimelineRecorder::kTransfers;
  entry.timeline->add(transfer ? TimelineCategory::transfer : TimelineCategory::collective, track, to_string(call.kind),
                      name, entry.begin, entry.timeline->now(), static_cast<std::int64_t>(call.bytes));
}

}  // namespace strata
