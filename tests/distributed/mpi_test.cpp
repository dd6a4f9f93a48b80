// SPDX-License-Identifier: Apache-2.0
// Starts tests/programs_src/mpi_cases.cpp under mpirun.
#include <gtest/gtest.h>

#include <string>

#include "tests/support/process.h"

namespace strata {
namespace {

using testing::MpiOutcome;
using testing::Outcome;

constexpr const char* kProgram = STRATA_BIN_DIR "/tests/mpi_cases";

class MpiTest : public ::testing::Test {
 protected:
  static MpiOutcome mpi_cases(int ranks, const std::string& mode,
                              testing::OnLostRank on_lost = testing::OnLostRank::others_end) {
    return testing::run_mpi(ranks, {{kProgram, mode}}, on_lost);
  }

  static void expect_said(const MpiOutcome& outcome, std::size_t rank, const std::string& part) {
    ASSERT_LT(rank, outcome.ranks.size()) << outcome.text();
    EXPECT_PRED_FORMAT2(::testing::IsSubstring, part, outcome.ranks[rank].err) << outcome.text();
  }
};

class MpiRanksTest : public MpiTest, public ::testing::WithParamInterface<int> {};

TEST_P(MpiRanksTest, PassEveryCaseWithThreadsThatDriveTheMessages) {
  const testing::Command command{{kProgram, "all"}, {{"STRATA_COMMUNICATION_THREAD", "1"}}};
  const MpiOutcome outcome = testing::run_mpi(GetParam(), command);
  EXPECT_TRUE(outcome.succeeded()) << outcome.text();
}

TEST_P(MpiRanksTest, PassEveryCaseAndAgreeWithMpi) {
  const MpiOutcome outcome = mpi_cases(GetParam(), "all");
  EXPECT_TRUE(outcome.succeeded()) << outcome.text();
  EXPECT_EQ(outcome.out + outcome.err, "");
  for (const auto& rank : outcome.ranks) EXPECT_EQ(rank.out + rank.err, "");
}
TEST_P(MpiRanksTest, TrainToEqualBitsWithSumsOverBlocksInTheStep) {
  const MpiOutcome alone = mpi_cases(1, "train");
  const MpiOutcome outcome = mpi_cases(GetParam(), "train");
  EXPECT_TRUE(outcome.succeeded()) << outcome.text();
  EXPECT_NE(alone.ranks.at(0).out, "");
  EXPECT_EQ(outcome.ranks.at(0).out, alone.ranks.at(0).out);
}

INSTANTIATE_TEST_SUITE_P(Ranks, MpiRanksTest, ::testing::Values(1, 2, 3, 4));

TEST_F(MpiTest, AProgramThatUsesMpiItselfKeepsItsCommunicator) {
  const MpiOutcome outcome = mpi_cases(3, "own");
  EXPECT_TRUE(outcome.succeeded()) << outcome.text();
}

TEST_F(MpiTest, SynchronizedStatisticsHaveTheBitsOfOneRank) {
  const MpiOutcome outcome = mpi_cases(3, "statistics");
  EXPECT_TRUE(outcome.succeeded()) << outcome.text();
}

TEST_F(MpiTest, AShardedOptimizerHasTheBitsAndTheStateOfOneRank) {
  for (const int ranks : {2, 3}) {
    const MpiOutcome outcome = mpi_cases(ranks, "shared");
    EXPECT_TRUE(outcome.succeeded()) << outcome.text();
  }
}

TEST_F(MpiTest, TheErrorOfAForkedChildIsNotThatOfItsRank) {
  const MpiOutcome outcome = mpi_cases(3, "fork");
  EXPECT_TRUE(outcome.succeeded()) << outcome.text();
}

TEST_F(MpiTest, WithoutALauncherMpiIsLeftAlone) {
  const Outcome outcome = testing::run_process({{kProgram, "single"}});
  EXPECT_TRUE(outcome.succeeded()) << outcome.text();
}

TEST_F(MpiTest, ALauncherOfAnotherMpiIsRefused) {
  const Outcome outcome =
      testing::run_process({{kProgram, "all"}, {{"SLURM_PROCID", "0"}, {"SLURM_STEP_NUM_TASKS", "4"}}});
  EXPECT_EQ(outcome.status, 1) << outcome.text();
  EXPECT_PRED_FORMAT2(::testing::IsSubstring, "started 4 ranks (SLURM_STEP_NUM_TASKS), but MPI sees 1", outcome.err);
}

// mpirun would end the others itself: here it is told not to.
TEST_F(MpiTest, ARankThatDiesIsNamedByTheOthers) {
  const MpiOutcome outcome = mpi_cases(3, "kill", testing::OnLostRank::others_live);
  EXPECT_LT(outcome.seconds, 20);
  for (const std::size_t rank : {0u, 1u}) {
    expect_said(outcome, rank, "CommError(peer 2): rank " + std::to_string(rank) + " cannot ");
  }
}

TEST_F(MpiTest, ARankThatStopsIsNamedAfterTheDeadline) {
  const MpiOutcome outcome = mpi_cases(2, "stop");
  EXPECT_NE(outcome.status, 0);
  expect_said(outcome, 0, "CommError(peer 1): rank 0 waited 2.0 s for rank 1");
}

TEST_F(MpiTest, TheEndOfMpiDoesNotHang) {
  const MpiOutcome outcome = mpi_cases(2, "late");
  EXPECT_LT(outcome.seconds, 20);
  EXPECT_NE(outcome.status, 0);
  expect_said(outcome, 0, "MPI_Finalize did not return within 10 s");
}

TEST_F(MpiTest, ARankThatFailsAloneEndsAll) {
  const MpiOutcome outcome = mpi_cases(3, "fail");
  EXPECT_LT(outcome.seconds, 10);
  EXPECT_NE(outcome.status, 0);
  expect_said(outcome, 2, "one rank alone has a bad option");
}

}  // namespace
}  // namespace strata
