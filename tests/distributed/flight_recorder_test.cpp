// SPDX-License-Identifier: Apache-2.0
#include "distributed/flight_recorder.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cstdlib>
#include <cstring>
#include <fstream>
#include <set>
#include <thread>

#include "core/base/error.h"
#include "distributed/flight_file.h"
#include "distributed/flight_format.h"
#include "distributed/flight_page.h"
#include "distributed/local/local_communicator.h"
#include "tests/support/allocation_counter.h"
#include "tests/support/communicator_cases.h"
#include "tests/support/expect_error.h"
#include "tests/support/files.h"
#include "tests/support/process.h"

namespace strata {
namespace {

using ::testing::IsSubstring;
using testing::TemporaryDirectory;

void expect_has(const std::string& text, const std::string& part) { EXPECT_PRED_FORMAT2(IsSubstring, part, text); }

/// STRATA_FLIGHT_RECORDER until the end of the scope.
class Recording {
 public:
  explicit Recording(const std::string& directory) { setenv("STRATA_FLIGHT_RECORDER", directory.c_str(), 1); }
  ~Recording() { unsetenv("STRATA_FLIGHT_RECORDER"); }
  Recording(const Recording&) = delete;
  Recording& operator=(const Recording&) = delete;
};

class FlightRecorderTest : public ::testing::Test {
 protected:
  std::string path(const std::string& name = "") const { return directory_.path(name); }
  /// The files of this test's directory, by rank, of the communicator of that name.
  std::vector<FlightFile> files(const std::string& communicator_part = "") const {
    std::vector<FlightFile> found;
    for (const FlightFile& file : read_flight_directory(path()).files) {
      if (file.communicator.ends_with(communicator_part)) found.push_back(file);
    }
    std::sort(found.begin(), found.end(), [](const auto& a, const auto& b) { return a.rank < b.rank; });
    return found;
  }
  /// One rank's file of a few barriers.
  std::string small_file() const {
    const Recording on(path());
    make_local_communicators(1)[0]->barrier();
    return files().at(0).path;
  }

 private:
  TemporaryDirectory directory_;
};

TEST_F(FlightRecorderTest, IsOffUnlessTheEnvironmentAsksForIt) {
  make_local_communicators(1)[0]->barrier();
  testing::expect_error_with<IoError>([&] { read_flight_directory(path()); }, "found none");
}

TEST_F(FlightRecorderTest, KeepsTheLastCollectives) {
  constexpr int kBarriers = 4321;
  {
    const Recording on(path());
    const auto ranks = make_local_communicators(1);
    for (int i = 0; i < kBarriers; ++i) {
      const CommunicatorStep step(*ranks[0], {.epoch = 2, .step = i}, false);
      ranks[0]->barrier();
    }
    EXPECT_EQ(files().at(0).closed, 0);
  }
  const FlightFile file = files().at(0);
  ASSERT_EQ(file.entries.size(), FlightRecorder::kRecords);
  for (std::size_t i = 0; i < file.entries.size(); ++i) {
    const FlightEntry& entry = file.entries[i];
    EXPECT_EQ(entry.stamp.number, kBarriers - FlightRecorder::kRecords + i + 1);
    EXPECT_EQ(entry.stamp.epoch, 2);
    EXPECT_EQ(entry.stamp.step, static_cast<std::int64_t>(entry.stamp.number) - 1);
    EXPECT_EQ(entry.stamp.kind, CallKind::barrier);
    EXPECT_EQ(entry.state, FlightEntry::State::done);
    EXPECT_LE(entry.started, entry.ended);
  }
  EXPECT_GE(file.closed, file.entries.back().ended);
  EXPECT_EQ(file.failed, 0);
}

TEST_F(FlightRecorderTest, NotesEveryKindOfCollectiveInTheSameWayOnAllRanks) {
  {
    const Recording on(path());
    run_local_ranks(3, [](const std::shared_ptr<Communicator>& c) {
      int value = c->rank();
      std::vector<int> all(3);
      std::vector<void*> places{&all[0], &all[1], &all[2]};
      c->broadcast(&value, sizeof value, 1);
      c->allgather(&value, all.data(), sizeof value);
      c->gather(&value, sizeof value, places, std::vector<std::size_t>(3, sizeof value), 2);
      c->barrier();
      c->split(c->rank() % 2, 0);
      testing::Partials<float> partials(*c, cpu_device(), 4, 100);
      const auto sum = c->prepare_block_sum(cpu_device(), partials.spec());
      sum->start();
      sum->wait();
      testing::row_sum_on<float>(*c, cpu_device(), 4, 3);
    });
  }
  std::vector<FlightFile> world;
  for (FlightFile& file : files()) {
    if (file.communicator.find("split") == std::string::npos) world.push_back(std::move(file));
  }
  ASSERT_EQ(world.size(), 3u);
  std::set<CallKind> kinds;
  for (const FlightEntry& entry : world[0].entries) {
    kinds.insert(entry.stamp.kind);
    for (const FlightFile& file : world) {
      ASSERT_NE(file.find(entry.stamp.number), nullptr) << entry.stamp.number;
      EXPECT_EQ(file.find(entry.stamp.number)->stamp, entry.stamp) << entry.stamp.number;
      EXPECT_EQ(file.find(entry.stamp.number)->name, entry.name) << entry.stamp.number;
      EXPECT_EQ(file.group, world[0].group);
    }
  }
  for (const CallKind kind : {CallKind::broadcast, CallKind::allgather, CallKind::gather, CallKind::barrier,
                              CallKind::split, CallKind::prepare, CallKind::block_sum, CallKind::row_sum}) {
    EXPECT_TRUE(kinds.contains(kind)) << to_string(kind);
  }
}

TEST_F(FlightRecorderTest, PartsOfACommunicatorHaveFilesOfTheirOwn) {
  const Recording on(path());
  run_local_ranks(4, [](const std::shared_ptr<Communicator>& c) {
    const auto part = c->split(c->rank() % 2, 0);
    part->barrier();
  });
  const auto even = files("split 0 of color 0"), odd = files("split 0 of color 1");
  ASSERT_EQ(even.size(), 2u);
  ASSERT_EQ(odd.size(), 2u);
  EXPECT_EQ(even[0].group, even[1].group);
  EXPECT_EQ(odd[0].group, odd[1].group);
  EXPECT_NE(even[0].group, odd[0].group);
  EXPECT_EQ(even[1].rank, 1);
  EXPECT_EQ(even[1].size, 2);
}

TEST_F(FlightRecorderTest, ADirectoryThatCannotBeWrittenIsAnError) {
  std::ofstream(path("file")) << "a file";
  const Recording on(path("file"));
  testing::expect_error_with<IoError>([] { make_local_communicators(1); }, path("file"));
}

TEST_F(FlightRecorderTest, ADirectoryIsMade) {
  const Recording on(path("new/one"));
  make_local_communicators(2);
  EXPECT_EQ(read_flight_directory(path("new/one")).files.size(), 2u);
}

TEST_F(FlightRecorderTest, RefusesFilesThatAreForeignCutOrDamaged) {
  const std::string file = small_file();
  const std::string good = testing::read_text(file);
  const auto expect_refused = [&](const std::string& bytes, const std::string& part) {
    testing::write_file(file, {bytes.begin(), bytes.end()});
    testing::expect_error_with<IoError>([&] { read_flight_file(file); }, part);
  };
  const auto changed = [&](std::size_t offset, auto value) {
    std::string bytes = good;
    std::memcpy(bytes.data() + offset, &value, sizeof value);
    return bytes;
  };
  expect_refused("", "this is not a file of the flight recorder");
  expect_refused(std::string(good.size(), 'x'), "this is not a file of the flight recorder");
  expect_refused(good.substr(0, 100), "it was cut: expected at least 4096 bytes, received 100");
  expect_refused(good.substr(0, good.size() - 1), "it was cut or damaged: expected 388096 bytes, received 388095");
  expect_refused(good + "x", "it was cut or damaged: expected 388096 bytes, received 388097");
  expect_refused(changed(offsetof(FlightHeader, version), 7u), "expected version 1 of the flight recorder's files");
  expect_refused(changed(offsetof(FlightHeader, rank), 1), "its header is damaged: rank 1 of 1");
  expect_refused(changed(offsetof(FlightHeader, size), -1), "its header is damaged");
  expect_refused(changed(offsetof(FlightHeader, capacity), 0u), "its header is damaged");
  const std::size_t record = sizeof(FlightHeader) + sizeof(FlightRecord);  // number 1
  expect_refused(changed(record + offsetof(FlightRecord, number), std::uint64_t{5}), "its record 1 is damaged");
  expect_refused(changed(record + offsetof(FlightRecord, kind), 99u), "its record 1 is damaged");
  testing::write_file(file, {good.begin(), good.end()});
  EXPECT_EQ(read_flight_file(file).entries.size(), 1u);
  testing::expect_error_with<IoError>([&] { read_flight_file(path("none.flight")); }, "cannot read it");
}

// A kill between the two stamps leaves a record like this.
TEST_F(FlightRecorderTest, ARecordThatWasBeingWrittenIsNone) {
  const std::string file = small_file();
  std::string bytes = testing::read_text(file);
  std::memset(bytes.data() + sizeof(FlightHeader) + sizeof(FlightRecord), 0, sizeof(FlightRecord::number));
  testing::write_file(file, {bytes.begin(), bytes.end()});
  EXPECT_TRUE(read_flight_file(file).entries.empty());
}

TEST_F(FlightRecorderTest, ThePageGoesOnWithoutFilesThatAreDamaged) {
  small_file();
  std::ofstream(path("rank-0009.0.flight")) << "nonsense";
  const std::string page = flight_page(read_flight_directory(path()), 10);
  expect_has(page, "Not read: " + path("rank-0009.0.flight") + ": this is not a file of the flight recorder");
  expect_has(page, "Nobody waits");
}

TEST_F(FlightRecorderTest, ThePageNamesARankThatHasNotCome) {
  const Recording on(path());
  const auto ranks = make_local_communicators(3);
  std::string page;
  std::vector<std::thread> threads;
  for (const int r : {0, 2}) {
    threads.emplace_back([&, r] {
      ranks[static_cast<std::size_t>(r)]->set_deadlines({std::chrono::seconds(1), std::chrono::seconds(1)});
      EXPECT_THROW(ranks[static_cast<std::size_t>(r)]->barrier(), CommError);
    });
  }
  // While they wait:
  const auto late = std::chrono::steady_clock::now() + std::chrono::seconds(20);
  do {
    page = flight_page(read_flight_directory(path()), 10);
  } while (page.find("    ranks 0 and 2 are in it") == std::string::npos && std::chrono::steady_clock::now() < late);
  expect_has(page,
             "  #1 barrier (0 B; outside of steps):\n    ranks 0 and 2 are in it.\n"
             "    rank 1 has not come to it: it has begun nothing.\n");
  expect_has(page, "barrier; late:");
  expect_has(page, "; never: 1");
  for (std::thread& thread : threads) thread.join();
  // And after it:
  page = flight_page(read_flight_directory(path()), 10);
  expect_has(page, "  rank 2 failed at ");
  expect_has(page, " waited 1.");
}

TEST_F(FlightRecorderTest, SumsUnderWayAtOnceAreDoneInAnyOrder) {
  {
    const Recording on(path());
    run_local_ranks(2, [](const std::shared_ptr<Communicator>& c) {
      testing::Partials<float> large(*c, cpu_device(), 2, 500'000), small(*c, cpu_device(), 2, 10);
      BlockSumSpec first = large.spec(), second = small.spec();
      first.name = "the gradients of dense";
      second.name = "losses and metrics";
      const auto a = c->prepare_block_sum(cpu_device(), first), b = c->prepare_block_sum(cpu_device(), second);
      for (int i = 0; i < 3; ++i) {
        large.fill();
        small.fill();
        a->start();
        b->start();
        b->wait();
        a->wait();
      }
    });
  }
  for (const FlightFile& file : files()) {
    std::vector<std::string> sums;
    for (const FlightEntry& entry : file.entries) {
      EXPECT_EQ(entry.state, FlightEntry::State::done);
      if (entry.stamp.kind != CallKind::block_sum) continue;
      sums.push_back(entry.name);
      EXPECT_EQ(entry.stamp.bytes, sums.size() % 2 == 1 ? 2'000'000u : 40u);
    }
    const std::string gradients = "block sum 0 (the gradients of dense)", losses = "block sum 1 (losses and metrics)";
    EXPECT_EQ(sums, (std::vector<std::string>{gradients, losses, gradients, losses, gradients, losses}));
  }
}

TEST_F(FlightRecorderTest, RecordingAllocatesNothing) {
  const Recording on(path());
  const auto ranks = make_local_communicators(1);
  testing::Partials<float> partials(*ranks[0], cpu_device(), 2, 100);
  BlockSumSpec spec = partials.spec();
  spec.name = std::string(300, 'x');
  const auto sum = ranks[0]->prepare_block_sum(cpu_device(), spec);
  testing::start_counting_allocations();
  for (int i = 0; i < 3000; ++i) {
    ranks[0]->barrier();
    sum->start();
    sum->wait();
  }
  EXPECT_EQ(testing::stop_counting_allocations(), 0);
  EXPECT_EQ(files().at(0).entries.back().name, "block sum 0 (" + std::string(114, 'x'));
}

TEST(FlightProgram, ExplainsItself) {
  const testing::Outcome help = testing::run_process({{STRATA_BIN_DIR "/strata_flight", "--help"}});
  EXPECT_TRUE(help.succeeded()) << help.text();
  expect_has(help.out, "STRATA_FLIGHT_RECORDER=DIRECTORY");
  expect_has(help.out, "--last");
  const testing::Outcome none = testing::run_process({{STRATA_BIN_DIR "/strata_flight", "/nonexistent"}});
  EXPECT_EQ(none.status, 1);
  EXPECT_EQ(none.err, "/nonexistent: cannot read the directory: No such file or directory\n");
}

}  // namespace
}  // namespace strata
