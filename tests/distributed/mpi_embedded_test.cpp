// SPDX-License-Identifier: Apache-2.0
// Strata inside programs that use MPI themselves. Starts tests/programs_src/mpi_embedded.cpp under mpirun.
#include <gtest/gtest.h>

#include <fmt/format.h>

#include <string>

#include "tests/support/local_training.h"
#include "tests/support/process.h"
#include "tests/support/ranks.h"

namespace strata {
namespace {

using testing::MpiOutcome;

class MpiEmbeddedTest : public ::testing::Test {
 protected:
  static MpiOutcome run(int ranks, const std::string& mode) {
    return testing::run_mpi(ranks, {{STRATA_BIN_DIR "/tests/mpi_embedded", mode}});
  }

  /// The line that the program prints after the steps of the mixed case, computed by ranks that are threads.
  static std::string line(const std::string& name, int ranks) {
    std::string text;
    testing::run_ranks(ranks, [&](Communicator& communicator) {
      testing::LocalRun run(testing::local_cases()[0]);
      for (int step = 0; step < 6; ++step) run.step();
      if (communicator.rank() == 0) text = fmt::format("{} {:016x}\n", name, run.result().hash);
    });
    return text;
  }
};

class MpiLevelTest : public MpiEmbeddedTest, public ::testing::WithParamInterface<const char*> {};

TEST_P(MpiLevelTest, TrainsToTheBitsOfThreadsAndLeavesNoTrace) {
  const MpiOutcome outcome = run(3, GetParam());
  ASSERT_TRUE(outcome.succeeded()) << outcome.text();
  ASSERT_EQ(outcome.ranks.size(), 3u);
  EXPECT_EQ(outcome.out + outcome.err, "");
  EXPECT_EQ(outcome.ranks[0].out, line("world", 3));
  EXPECT_EQ(outcome.ranks[1].out + outcome.ranks[2].out, "");
  for (const auto& rank : outcome.ranks) EXPECT_EQ(rank.err, "");
}

INSTANTIATE_TEST_SUITE_P(Levels, MpiLevelTest, ::testing::Values("single", "funneled", "serialized", "multiple"),
                         [](const auto& level) { return std::string(level.param); });

TEST_F(MpiEmbeddedTest, OnlyTheThreadThatMpiAllowsMayTrain) {
  const MpiOutcome outcome = run(2, "thread");
  EXPECT_TRUE(outcome.succeeded()) << outcome.text();
}

TEST_F(MpiEmbeddedTest, TwoModelsTrainByTurnsOnOverlappingRanks) {
  const MpiOutcome outcome = run(3, "overlap");
  ASSERT_TRUE(outcome.succeeded()) << outcome.text();
  ASSERT_EQ(outcome.ranks.size(), 3u);
  EXPECT_EQ(outcome.ranks[0].out, line("first", 2));
  EXPECT_EQ(outcome.ranks[1].out, line("first", 2) + line("second", 2));
  EXPECT_EQ(outcome.ranks[2].out, line("second", 2));
}

TEST_F(MpiEmbeddedTest, ACommunicatorMayOutliveMpi) {
  const MpiOutcome outcome = run(2, "finalize_first");
  EXPECT_TRUE(outcome.succeeded()) << outcome.text();
  EXPECT_EQ(outcome.out + outcome.err, "");
}

TEST_F(MpiEmbeddedTest, WhatIsNoCommunicatorIsRefused) {
  const MpiOutcome outcome = run(2, "misuse");
  EXPECT_TRUE(outcome.succeeded()) << outcome.text();
}

TEST_F(MpiEmbeddedTest, ARankThatDoesNotComeIsAnErrorAndTheProgramGoesOn) {
  const MpiOutcome outcome = run(3, "absent");
  ASSERT_EQ(outcome.ranks.size(), 3u);
  EXPECT_EQ(outcome.ranks[0].out, "goes on\n") << outcome.text();
  EXPECT_EQ(outcome.ranks[2].out, "goes on\n") << outcome.text();
}

TEST_F(MpiEmbeddedTest, ARankThatDoesNotStartEndsAProgramOfStratasOwn) {
  const std::string program = STRATA_BIN_DIR "/tests/mpi_embedded";
  const MpiOutcome outcome = testing::run_mpi(
      1, {{program, "unstarted", ":", "-np", "1", "/usr/bin/env", "STRATA_LAZY=1", program, "unstarted"}});
  EXPECT_NE(outcome.status, 0);
  EXPECT_LT(outcome.seconds, 15);
  ASSERT_EQ(outcome.ranks.size(), 2u) << outcome.text();
  EXPECT_PRED_FORMAT2(::testing::IsSubstring, "MPI_Init_thread did not return within 2 s on rank 0 (host ",
                      outcome.ranks[0].err);
}

}  // namespace
}  // namespace strata
