// SPDX-License-Identifier: Apache-2.0
// What a rank does and when, as events: the engine and the communicators note them while the thread that drives them
// has a recorder. Without one it costs a branch.
#pragma once

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <span>
#include <string_view>

namespace strata {

/// What an event is about. The values are sent between ranks.
enum class TimelineCategory : std::int32_t { step, load, compute, wait, update, collective, transfer };

/// Plain bytes, so that ranks can send it. Text is zero-terminated and cut to fit.
struct TimelineEvent {
  std::array<char, 32> name;
  std::array<char, 88> detail;
  std::int64_t begin;  // ns of the recorder's clock
  std::int64_t end;    // likewise
  std::int64_t bytes;  // -1: not said
  TimelineCategory category;
  std::int32_t track;  // events of one track nest, or do not overlap
};

/// The events of one rank. Memory for all of them is set aside at once; what comes when it is full is counted and
/// forgotten. add() and now() may be called from any thread at once, the rest when no other thread adds.
class TimelineRecorder {
 public:
  /// Tracks of a rank: 0, 1, ... are its threads, track 0 the one that drives the others; from kTransfers on the
  /// transfers of each prepared sum.
  static constexpr std::int32_t kTransfers = 1000;
  /// Nanoseconds. Never goes back.
  using Clock = std::function<std::int64_t()>;

  /// `clock`: null = std::chrono::steady_clock.
  explicit TimelineRecorder(std::size_t capacity, Clock clock = {});
  TimelineRecorder(const TimelineRecorder&) = delete;
  TimelineRecorder& operator=(const TimelineRecorder&) = delete;

  /// That of this thread, or null.
  static TimelineRecorder* current() { return current_; }
  /// Gives this thread a recorder, null for none; returns the one that it had.
  static TimelineRecorder* set_current(TimelineRecorder* recorder);

  std::int64_t now() const;
  void add(TimelineCategory category, std::int32_t track, std::string_view name, std::string_view detail,
           std::int64_t begin, std::int64_t end, std::int64_t bytes = -1);
  /// Those kept, in the order in which they were added.
  std::span<const TimelineEvent> events() const;
  std::size_t dropped() const;

 private:
  static constinit thread_local TimelineRecorder* current_;
  Clock clock_;
  std::size_t capacity_;
  std::unique_ptr<TimelineEvent[]> events_;
  std::atomic<std::size_t> added_{0};
};

/// An event from here to the end of the scope, if `recorder` is not null. The texts must outlive it.
class TimelineSpan {
 public:
  TimelineSpan(TimelineRecorder* recorder, TimelineCategory category, std::int32_t track, std::string_view name,
               std::string_view detail = {})
      : recorder_(recorder), category_(category), track_(track), name_(name), detail_(detail) {
    if (recorder_ != nullptr) begin_ = recorder_->now();
  }
  ~TimelineSpan() {
    if (recorder_ != nullptr) recorder_->add(category_, track_, name_, detail_, begin_, recorder_->now());
  }
  TimelineSpan(const TimelineSpan&) = delete;
  TimelineSpan& operator=(const TimelineSpan&) = delete;

 private:
  TimelineRecorder* recorder_;
  TimelineCategory category_;
  std::int32_t track_;
  std::string_view name_;
  std::string_view detail_;
  std::int64_t begin_ = 0;
};

}  // namespace strata
