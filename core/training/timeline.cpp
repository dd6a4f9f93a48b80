// SPDX-License-Identifier: Apache-2.0
#include "core/training/timeline.h"

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <fstream>

#include "core/base/error.h"
#include "core/model/session.h"
#include "core/training/timeline_file.h"
#include "core/training/trainer.h"

namespace strata {
namespace {

std::size_t capacity_of_rank(const Communicator& communicator) {
  return std::min(Timeline::kRankEvents, Timeline::kEvents / static_cast<std::size_t>(communicator.size()));
}

void make_file(const std::string& path) {
  if (std::ofstream(path).fail())
    throw IoError(path, std::string("cannot write the timeline: ") + std::strerror(errno));
}

struct Counts {
  std::size_t events, dropped;
};

std::vector<Counts> gather_counts(Communicator& communicator, const TimelineRecorder& recorder) {
  const Counts own{recorder.events().size(), recorder.dropped()};
  std::vector<Counts> all(static_cast<std::size_t>(communicator.size()));
  communicator.allgather(&own, all.data(), sizeof own);
  return all;
}

/// On rank 0, those of all ranks.
std::vector<TimelineOfRank> gather_ranks(Communicator& communicator, const TimelineRecorder& recorder) {
  const std::vector<Counts> counts = gather_counts(communicator, recorder);
  const bool root = communicator.rank() == 0;
  std::vector<TimelineOfRank> ranks(root ? counts.size() : 0);
  std::vector<void*> places;
  std::vector<std::size_t> bytes;
  for (std::size_t r = 0; r < ranks.size(); ++r) {
    ranks[r].name = communicator.describe(static_cast<int>(r));
    ranks[r].events.resize(counts[r].events);
    ranks[r].dropped = counts[r].dropped;
    places.push_back(ranks[r].events.data());
    bytes.push_back(counts[r].events * sizeof(TimelineEvent));
  }
  const auto own = recorder.events();
  communicator.gather(own.data(), own.size_bytes(), places, bytes, 0);
  return ranks;
}

}  // namespace

Timeline::Timeline(std::string path, const TimelineOptions& options)
    : path_(std::move(path)),
      held_(options.communicator),
      communicator_(held_ ? *held_ : Session::current().communicator()),
      recorder_(capacity_of_rank(communicator_), options.clock) {
  succeed_together(communicator_, path_, [&] {
    if (communicator_.rank() == 0) make_file(path_);
  });
  begin_ = measure_clock_offsets(communicator_, [this] { return recorder_.now(); });
  previous_ = TimelineRecorder::set_current(&recorder_);
  recording_ = true;
}

Timeline::~Timeline() { stop(); }

void Timeline::stop() {
  if (recording_) TimelineRecorder::set_current(previous_);
  recording_ = false;
}

void Timeline::write() {
  if (!recording_) throw ConfigError("Timeline: " + path_ + " was written before, expected one write()");
  stop();
  const std::vector<ClockOffset> end = measure_clock_offsets(communicator_, [this] { return recorder_.now(); });
  std::vector<TimelineOfRank> ranks = gather_ranks(communicator_, recorder_);
  for (std::size_t r = 0; r < ranks.size(); ++r) {
    ranks[r].begin = begin_[r];
    ranks[r].end = end[r];
    dropped_ += ranks[r].dropped;
  }
  succeed_together(communicator_, path_, [&] {
    if (communicator_.rank() == 0) write_timeline(path_, ranks);
  });
}

}  // namespace strata
