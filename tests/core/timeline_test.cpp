// SPDX-License-Identifier: Apache-2.0
#include "core/training/timeline.h"

#include <gtest/gtest.h>

#include <fstream>
#include <map>
#include <nlohmann/json.hpp>
#include <set>
#include <thread>

#include "core/training/timeline_file.h"
#include "strata/strata.h"
#include "tests/support/allocation_counter.h"
#include "tests/support/block_training.h"
#include "tests/support/delayed_transport.h"
#include "tests/support/expect_error.h"
#include "tests/support/files.h"
#include "tests/support/ranks.h"

namespace strata {
namespace {

using Json = nlohmann::json;
using Kind = TimelineCategory;

std::int64_t steady_now() {
  return std::chrono::nanoseconds(std::chrono::steady_clock::now().time_since_epoch()).count();
}

/// The recorder of this thread until the end of the scope.
class Recording {
 public:
  explicit Recording(TimelineRecorder& recorder) : previous_(TimelineRecorder::set_current(&recorder)) {}
  ~Recording() { TimelineRecorder::set_current(previous_); }
  Recording(const Recording&) = delete;
  Recording& operator=(const Recording&) = delete;

 private:
  TimelineRecorder* previous_;
};

/// Rank r's clock is r times `shift` ahead, and `drift` times faster.
TimelineRecorder::Clock shifted_clock(int rank, std::int64_t shift, double drift = 0.0) {
  const std::int64_t start = steady_now();
  return [=] {
    const std::int64_t now = steady_now();
    return now + rank * (shift + static_cast<std::int64_t>(drift * static_cast<double>(now - start)));
  };
}

TEST(TimelineRecorder, KeepsWhatItHasRoomForAndCountsTheRest) {
  TimelineRecorder recorder(3);
  for (int i = 0; i < 5; ++i) recorder.add(Kind::compute, i, "op " + std::to_string(i), "", i, i + 1);
  ASSERT_EQ(recorder.events().size(), 3u);
  EXPECT_STREQ(recorder.events()[2].name.data(), "op 2");
  EXPECT_EQ(recorder.dropped(), 2u);
}

TEST(TimelineRecorder, CutsTextsToFit) {
  TimelineRecorder recorder(1);
  recorder.add(Kind::compute, 0, std::string(500, 'n'), std::string(500, 'd'), 0, 1);
  EXPECT_EQ(recorder.events()[0].name.data(), std::string(31, 'n'));
  EXPECT_EQ(recorder.events()[0].detail.data(), std::string(87, 'd'));
}

TEST(TimelineRecorder, SpansOfNobodyAreNotKept) {
  EXPECT_EQ(TimelineRecorder::current(), nullptr);
  { const TimelineSpan span(TimelineRecorder::current(), Kind::compute, 0, "nobody's"); }
  TimelineRecorder recorder(1);
  {
    const Recording on(recorder);
    const TimelineSpan span(TimelineRecorder::current(), Kind::compute, 7, "mine", "more");
  }
  ASSERT_EQ(recorder.events().size(), 1u);
  EXPECT_EQ(recorder.events()[0].track, 7);
  EXPECT_LE(recorder.events()[0].begin, recorder.events()[0].end);
}

TEST(ClockOffset, IsKnownToHalfTheRoundTrip) {
  constexpr std::int64_t kShift = 3'600'000'000'000;  // an hour
  testing::run_ranks(3, [](Communicator& c) {
    const auto offsets = measure_clock_offsets(c, shifted_clock(c.rank(), kShift));
    ASSERT_EQ(offsets.size(), c.rank() == 0 ? 3u : 0u);
    for (std::size_t r = 0; r < offsets.size(); ++r) {
      const std::int64_t wrong = offsets[r].offset - static_cast<std::int64_t>(r) * kShift;
      EXPECT_LE(std::abs(wrong), offsets[r].round_trip / 2) << r;
      EXPECT_LT(offsets[r].round_trip, 1'000'000'000) << r;
    }
  });
}

// Ten round trips of 2 ms each: the error is that of their difference, not of their length.
TEST(ClockOffset, OfSlowWiresIsKnownBetterThanTheirDelay) {
  const auto ranks = testing::make_delayed_communicators(2, std::chrono::milliseconds(2));
  std::vector<ClockOffset> offsets;
  std::thread other([&] { measure_clock_offsets(*ranks[1], shifted_clock(1, -5'000'000'000)); });
  offsets = measure_clock_offsets(*ranks[0], shifted_clock(0, 0));
  other.join();
  EXPECT_GE(offsets[1].round_trip, 4'000'000);
  EXPECT_LE(std::abs(offsets[1].offset + 5'000'000'000), offsets[1].round_trip / 2);
}

TEST(ClockCorrection, FollowsADriftThatIsLargerThanTheDoubt) {
  const ClockCorrection drifting({1000, 10, 0}, {3000, 10, 100'000});
  EXPECT_EQ(drifting(0), -1000);
  EXPECT_EQ(drifting(50'000), 48'000);
  EXPECT_EQ(drifting(100'000), 97'000);
  const ClockCorrection steady({1000, 500, 0}, {1100, 20, 100'000});
  EXPECT_EQ(steady(0), -1100);
  EXPECT_EQ(steady(100'000), 98'900);
}

/// Checks the file as far as viewers need it; returns the events by rank.
std::map<int, std::vector<Json>> checked_events(const std::string& path, int ranks) {
  const Json file = Json::parse(testing::read_text(path));
  std::map<int, std::vector<Json>> events;
  std::map<std::pair<int, int>, std::vector<std::pair<double, double>>> tracks;
  std::set<int> named;
  std::set<std::pair<int, int>> named_tracks;
  for (const Json& event : file.at("traceEvents")) {
    const int rank = event.at("pid"), track = event.at("tid");
    if (event.at("ph") == "M") {
      if (event.at("name") == "process_name") named.insert(rank);
      if (event.at("name") == "thread_name") named_tracks.insert({rank, track});
      continue;
    }
    EXPECT_EQ(event.at("ph"), "X");
    EXPECT_GE(event.at("ts").get<double>(), 0.0);
    EXPECT_GE(event.at("dur").get<double>(), 0.0);
    tracks[{rank, track}].emplace_back(event.at("ts").get<double>(),
                                       event.at("ts").get<double>() + event.at("dur").get<double>());
    events[rank].push_back(event);
  }
  for (int r = 0; r < ranks; ++r) EXPECT_TRUE(named.contains(r)) << r;
  EXPECT_EQ(events.size(), static_cast<std::size_t>(ranks));
  constexpr double kRounding = 0.0015;  // of microseconds as binary fractions, and of a drift to nanoseconds
  for (auto& [track, spans] : tracks) {
    EXPECT_TRUE(named_tracks.contains(track));
    // Outer ones first; then each is within the last that is still open, or behind it.
    std::sort(spans.begin(), spans.end(), [](const auto& a, const auto& b) {
      return a.first != b.first ? a.first < b.first : a.second > b.second;
    });
    std::vector<double> open;
    for (const auto& [begin, end] : spans) {
      while (!open.empty() && open.back() <= begin + kRounding) open.pop_back();
      EXPECT_TRUE(open.empty() || end <= open.back() + kRounding) << track.first << " " << track.second << " " << begin;
      open.push_back(end);
    }
  }
  return events;
}

std::set<std::string> names(const std::vector<Json>& events, const std::string& category) {
  std::set<std::string> all;
  for (const Json& event : events) {
    if (event.at("cat") == category) all.insert(event.at("name").get<std::string>());
  }
  return all;
}

// The clocks of the ranks are 1000 s apart: events that were not corrected would be far out of the run.
TEST(Timeline, ShowsAllRanksOfARunByOneClock) {
  const testing::TemporaryDirectory directory;
  const std::string path = directory.path("run.json");
  std::int64_t begin = 0, end = 0;
  testing::run_ranks(3, [&](Communicator& c) {
    if (c.rank() == 0) begin = steady_now();
    Timeline timeline(path, {.clock = shifted_clock(c.rank(), 1'000'000'000'000, 1e-4)});
    testing::train_with_block_sums(c, {13, 2, 8}, {.blocks = 5, .bucket_bytes = 64});
    timeline.write();
    if (c.rank() == 0) end = steady_now();
  });
  auto events = checked_events(path, 3);
  const Json rest = Json::parse(testing::read_text(path)).at("otherData");
  const auto start = rest.at("start_ns").get<std::int64_t>();
  for (auto& [rank, of_rank] : events) {
    const double doubt = rest.at("clock_round_trip_ns").at(static_cast<std::size_t>(rank)).get<double>() / 2 + 2;
    EXPECT_LT(doubt, 1e9);
    for (const Json& event : of_rank) {
      const double from = static_cast<double>(start) + event.at("ts").get<double>() * 1e3;
      EXPECT_GE(from, static_cast<double>(begin) - doubt);
      EXPECT_LE(from + event.at("dur").get<double>() * 1e3, static_cast<double>(end) + doubt);
    }
    EXPECT_EQ(names(of_rank, "step"), (std::set<std::string>{"prepare", "training step"}));
    EXPECT_EQ(names(of_rank, "load"), std::set<std::string>{"load"});
    EXPECT_EQ(names(of_rank, "wait"), std::set<std::string>{"wait"});
    EXPECT_EQ(names(of_rank, "update"), std::set<std::string>{"update"});
    const auto computed = names(of_rank, "compute");
    for (const char* name : {"forward", "backward", "matmul"}) EXPECT_TRUE(computed.contains(name)) << name;
    EXPECT_EQ(names(of_rank, "transfer"), std::set<std::string>{"block sum"});
  }
  EXPECT_EQ(rest.at("dropped_events"), (std::vector<int>{0, 0, 0}));
  EXPECT_FALSE(rest.contains("note"));
}

TEST(Timeline, OfOneRankAndItsThreads) {
  const testing::TemporaryDirectory directory;
  const std::string path = directory.path("run.json");
  testing::run_ranks(1, [&](Communicator& c) {
    Timeline timeline(path);
    testing::train_with_block_sums(c, {13, 8}, {.blocks = 4, .threads = 2, .order = BlockOrder::op_by_op});
    timeline.write();
    EXPECT_THROW(timeline.write(), ConfigError);
  });
  const auto events = checked_events(path, 1);
  std::set<int> tracks;
  for (const Json& event : events.at(0)) {
    if (event.at("cat") == "compute") tracks.insert(event.at("tid").get<int>());
  }
  EXPECT_EQ(tracks, (std::set<int>{0, 1}));
}

TEST(Timeline, AFileThatCannotBeWrittenIsAnErrorOnEveryRankBeforeTheRun) {
  testing::run_ranks(2, [](Communicator&) {
    testing::expect_error_with<IoError>([] { const Timeline timeline("/nonexistent/run.json"); },
                                        "cannot write the timeline: No such file or directory");
    EXPECT_EQ(TimelineRecorder::current(), nullptr);
  });
}

TEST(Timeline, SaysWhatHadNoRoomAndTakesAnyText) {
  const testing::TemporaryDirectory directory;
  const std::string path = directory.path("full.json");
  TimelineRecorder recorder(1);
  const std::string cut = "a \"quoted\"\n name " + std::string(13, '.') + "\xc3\xa4";  // cut within the last letter
  for (int i = 0; i < 4; ++i) recorder.add(Kind::compute, 0, cut, "", 1000, 2500, 12);
  TimelineOfRank rank{"rank 0", {recorder.events().begin(), recorder.events().end()}, recorder.dropped(), {}, {}};
  write_timeline(path, {&rank, 1});
  const auto events = checked_events(path, 1);
  ASSERT_EQ(events.at(0).size(), 1u);
  EXPECT_EQ(events.at(0)[0].at("dur"), 1.5);
  EXPECT_EQ(events.at(0)[0].at("args").at("bytes"), 12);
  const Json rest = Json::parse(testing::read_text(path)).at("otherData");
  EXPECT_EQ(rest.at("note"), "3 later events were not kept: there was no more room");
}

TEST(Timeline, AFullDiskIsAnError) {
  TimelineOfRank rank;
  testing::expect_error_with<IoError>([&] { write_timeline("/dev/full", {&rank, 1}); }, "No space left on device");
}

/// What one rank records of steps of five layers of 16 KB, over slow wires.
std::vector<TimelineEvent> record_slow_steps(const std::shared_ptr<Communicator>& c) {
  Session session(c);
  const SessionScope scope(session);
  auto input = Input({64});
  Tensor x = input;
  for (int i = 0; i < 5; ++i) x = layers::Dense(64, {.activation = "relu", .use_bias = false})(x);
  Model model(input, x, "deep");
  const Objective objective = make_objective({"output"}, "mse", {}, {}, {});
  FlatState state(model.layer().trainable_weights(), {}, {}, cpu_device());
  const Optimizer descent = optimizers::SGD();
  state.create_slots(descent);
  state.adopt();
  const DataSpecs specs{{{{64}, Dtype::float32}}, {{{64}, Dtype::float32}}, {}};
  StepEngine engine(StepKind::train, std::static_pointer_cast<Functional>(model.shared()), objective, specs, state, *c,
                    {.threads = 1, .bucket_bytes = 16'384});
  const std::vector<HostArray> arrays{HostArray(ops::ones({512, 64})), HostArray(ops::zeros({512, 64}))};
  TimelineRecorder recorder(10'000);
  const Recording on(recorder);
  for (std::int64_t step = 0; step < 4; ++step) engine.run({arrays, nullptr, 0, 512, 0, step, 0}, &descent, step);
  return {recorder.events().begin(), recorder.events().end()};
}

std::vector<TimelineEvent> last_step(const std::vector<TimelineEvent>& events, Kind category) {
  const TimelineEvent step =
      *std::find_if(events.rbegin(), events.rend(), [](const TimelineEvent& e) { return e.category == Kind::step; });
  std::vector<TimelineEvent> found;
  for (const TimelineEvent& event : events) {
    if (event.category == category && event.begin >= step.begin && event.end <= step.end) found.push_back(event);
  }
  std::sort(found.begin(), found.end(), [](const auto& a, const auto& b) { return a.begin < b.begin; });
  return found;
}

TEST(Timeline, TheFirstBucketIsOnTheWireBeforeTheLastBackwardKernelHasRun) {
  constexpr auto kDelay = std::chrono::milliseconds(3);
  const auto ranks = testing::make_delayed_communicators(2, kDelay);
  std::vector<TimelineEvent> events;
  std::thread other([&] { record_slow_steps(ranks[1]); });
  events = record_slow_steps(ranks[0]);
  other.join();
  const auto transfers = last_step(events, Kind::transfer);
  const auto computed = last_step(events, Kind::compute);
  ASSERT_EQ(transfers.size(), 6u);  // five layers, and the loss
  EXPECT_STREQ(transfers[0].detail.data(), "block sum 0 (the gradients of dense_4/kernel)");
  EXPECT_STREQ(transfers[4].detail.data(), "block sum 4 (the gradients of dense/kernel)");
  const TimelineEvent backward = *std::find_if(computed.begin(), computed.end(), [](const TimelineEvent& e) {
    return std::string(e.name.data()) == "backward";
  });
  const TimelineEvent last = *std::find_if(computed.rbegin(), computed.rend(), [](const TimelineEvent& e) {
    return std::string(e.name.data()) == "matmul";
  });
  EXPECT_LT(backward.begin, last.begin);
  EXPECT_LE(last.end, backward.end);
  std::printf(
      "backward %.1f us to %.1f us; bucket 0 on the wire %.1f us to %.1f us; the last matmul %.1f us to %.1f us\n", 0.0,
      static_cast<double>(backward.end - backward.begin) / 1e3,
      static_cast<double>(transfers[0].begin - backward.begin) / 1e3,
      static_cast<double>(transfers[0].end - backward.begin) / 1e3,
      static_cast<double>(last.begin - backward.begin) / 1e3, static_cast<double>(last.end - backward.begin) / 1e3);
  EXPECT_LT(transfers[0].begin, last.begin);
  for (std::size_t i = 0; i < 5; ++i) {
    EXPECT_EQ(transfers[i].bytes, 16'384);
    EXPECT_GE(transfers[i].end - transfers[i].begin, std::chrono::nanoseconds(kDelay).count());
  }
  // What is waited for after backward is the rest of it.
  const auto waits = last_step(events, Kind::wait);
  EXPECT_GE(waits.at(0).begin, backward.end);
  EXPECT_LE(transfers[0].end, waits.at(0).end);
}

TEST(Timeline, ASteadyStepAllocatesNothing) {
  Model model = testing::block_sum_model();
  model.compile(
      {.optimizer = optimizers::Adam(), .loss = losses::SparseCategoricalCrossentropy({.from_logits = true})});
  const auto counter = std::make_shared<testing::AllocationsOfSteps>(5, 15);
  TimelineRecorder recorder(100'000);
  const Recording on(recorder);
  model.fit(testing::masked_words(160), testing::word_classes(160),
            {.batch_size = 8, .verbose = 0, .callbacks = {counter}, .blocks = 3});
  EXPECT_EQ(counter->allocations, 0);
  EXPECT_GT(recorder.events().size(), 500u);
}

}  // namespace
}  // namespace strata
