// SPDX-License-Identifier: Apache-2.0
#include "core/base/timeline_recorder.h"

#include <algorithm>
#include <chrono>
#include <cstring>
#include <utility>

#include "core/base/fixed_text.h"

namespace strata {

constinit thread_local TimelineRecorder* TimelineRecorder::current_ = nullptr;

// The memory is not touched before it is needed.
TimelineRecorder::TimelineRecorder(std::size_t capacity, Clock clock)
    : clock_(std::move(clock)),
      capacity_(capacity),
      events_(std::make_unique_for_overwrite<TimelineEvent[]>(capacity)) {}

TimelineRecorder* TimelineRecorder::set_current(TimelineRecorder* recorder) {
  return std::exchange(current_, recorder);
}

std::int64_t TimelineRecorder::now() const {
  if (clock_) return clock_();
  return std::chrono::nanoseconds(std::chrono::steady_clock::now().time_since_epoch()).count();
}

void TimelineRecorder::add(TimelineCategory category, std::int32_t track, std::string_view name,
                           std::string_view detail, std::int64_t begin, std::int64_t end, std::int64_t bytes) {
  const std::size_t place = added_.fetch_add(1, std::memory_order_relaxed);
  if (place >= capacity_) return;
  TimelineEvent& event = events_[place];
  copy_text(event.name, name);
  copy_text(event.detail, detail);
  event.begin = begin;
  event.end = end;
  event.bytes = bytes;
  event.category = category;
  event.track = track;
}

std::span<const TimelineEvent> TimelineRecorder::events() const {
  return {events_.get(), std::min(added_.load(), capacity_)};
}

std::size_t TimelineRecorder::dropped() const { return added_.load() - events().size(); }

}  // namespace strata
