// SPDX-License-Identifier: Apache-2.0
#include "core/training/timeline_file.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdio>
#include <cstring>
#include <limits>
#include <map>
#include <memory>
#include <nlohmann/json.hpp>

#include "core/base/error.h"

namespace strata {
namespace {

const char* name_of(TimelineCategory category) {
  constexpr std::array<const char*, 7> kNames{"step", "load", "compute", "wait", "update", "collective", "transfer"};
  return kNames[static_cast<std::size_t>(category)];
}

/// As a JSON string. A text that was cut may end within a character.
std::string quoted(const std::string& text) {
  return nlohmann::json(text).dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
}

/// Microseconds, as the format wants them, to the nanosecond.
std::string microseconds(std::int64_t ns) {
  return fmt::format("{}{}.{:03}", ns < 0 ? "-" : "", std::abs(ns) / 1000, std::abs(ns) % 1000);
}

class TimelineWriter {
 public:
  explicit TimelineWriter(const std::string& path) : path_(path), file_(std::fopen(path.c_str(), "w"), &std::fclose) {
    if (!file_) fail();
  }

  void write(std::span<const TimelineOfRank> ranks) {
    std::vector<ClockCorrection> clocks;
    for (const TimelineOfRank& rank : ranks) clocks.emplace_back(rank.begin, rank.end);
    find_start(ranks, clocks);
    put("{\"displayTimeUnit\":\"ms\",\"traceEvents\":[");
    for (std::size_t r = 0; r < ranks.size(); ++r) {
      describe_process(r, ranks[r]);
      for (const TimelineEvent& event : ranks[r].events) put_event(r, event, clocks[r]);
    }
    put_rest(ranks);
    if (std::fflush(file_.get()) != 0) fail();
  }

 private:
  [[noreturn]] void fail() const {
    throw IoError(path_, fmt::format("cannot write the timeline: {}", std::strerror(errno)));
  }

  void put(const std::string& text) {
    if (std::fwrite(text.data(), 1, text.size(), file_.get()) != text.size()) fail();
  }

  void put_item(const std::string& text) {
    put((first_ ? "\n" : ",\n") + text);
    first_ = false;
  }

  void find_start(std::span<const TimelineOfRank> ranks, const std::vector<ClockCorrection>& clocks) {
    start_ = std::numeric_limits<std::int64_t>::max();
    for (std::size_t r = 0; r < ranks.size(); ++r) {
      for (const TimelineEvent& event : ranks[r].events) start_ = std::min(start_, clocks[r](event.begin));
    }
  }

  void put_name(std::size_t rank, std::int32_t track, const char* kind, const std::string& name) {
    put_item(fmt::format(R"({{"name":"{}","ph":"M","pid":{},"tid":{},"args":{{"name":{}}}}})", kind, rank, track,
                         quoted(name)));
  }

  /// Names the process and its tracks, which viewers sort by their numbers.
  void describe_process(std::size_t r, const TimelineOfRank& rank) {
    put_name(r, 0, "process_name", rank.name);
    put_item(
        fmt::format(R"({{"name":"process_sort_index","ph":"M","pid":{},"tid":0,"args":{{"sort_index":{}}}}})", r, r));
    std::map<std::int32_t, std::string> tracks;
    for (const TimelineEvent& event : rank.events) {
      if (tracks.contains(event.track)) continue;
      const bool transfer = event.track >= TimelineRecorder::kTransfers;
      tracks[event.track] =
          transfer ? fmt::format("transfer: {}", *event.detail.data() == '\0' ? event.name.data() : event.detail.data())
                   : fmt::format("thread {}", event.track);
    }
    for (const auto& [track, name] : tracks) put_name(r, track, "thread_name", name);
  }

  void put_event(std::size_t rank, const TimelineEvent& event, const ClockCorrection& clock) {
    const std::int64_t begin = clock(event.begin);
    std::string arguments;
    if (event.detail[0] != '\0') arguments = "\"what\":" + quoted(event.detail.data());
    if (event.bytes >= 0) arguments += fmt::format("{}\"bytes\":{}", arguments.empty() ? "" : ",", event.bytes);
    put_item(fmt::format(R"({{"name":{},"cat":"{}","ph":"X","ts":{},"dur":{},"pid":{},"tid":{},"args":{{{}}}}})",
                         quoted(event.name.data()), name_of(event.category), microseconds(begin - start_),
                         microseconds(clock(event.end) - begin), rank, event.track, arguments));
  }

  /// What the viewers show beside the events: where 0 is on rank 0's clock, and what to make of the times, which are
  /// wrong by at most half the round trip.
  void put_rest(std::span<const TimelineOfRank> ranks) {
    nlohmann::ordered_json rest = {{"start_ns", start_}, {"ranks", ranks.size()}};
    std::size_t dropped = 0;
    for (const TimelineOfRank& rank : ranks) {
      rest["dropped_events"].push_back(rank.dropped);
      rest["clock_offset_ns"].push_back(rank.begin.offset);
      rest["clock_round_trip_ns"].push_back(std::max(rank.begin.round_trip, rank.end.round_trip));
      dropped += rank.dropped;
    }
    if (dropped > 0) rest["note"] = fmt::format("{} later events were not kept: there was no more room", dropped);
    put("\n],\"otherData\":" + rest.dump() + "}\n");
  }

  std::string path_;
  std::unique_ptr<std::FILE, int (*)(std::FILE*)> file_;
  std::int64_t start_ = 0;  // by rank 0's clock
  bool first_ = true;
};

}  // namespace

void write_timeline(const std::string& path, std::span<const TimelineOfRank> ranks) {
  TimelineWriter(path).write(ranks);
}

}  // namespace strata
