// SPDX-License-Identifier: Apache-2.0
// Starts tests/programs_src/mpi_cases.cpp under mpirun.
#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <chrono>
#include <cstdio>
#include <string>

namespace strata {
namespace {

struct Outcome {
  int status = -1;  // of the exit; -1 when a signal ended it
  std::string output;
};

Outcome run(const std::string& command) {
  Outcome outcome;
  FILE* pipe = popen((command + " 2>&1").c_str(), "r");
  if (pipe == nullptr) throw std::runtime_error("cannot start " + command);
  std::array<char, 4096> text{};
  while (std::fgets(text.data(), text.size(), pipe) != nullptr) outcome.output += text.data();
  const int status = pclose(pipe);
  if (WIFEXITED(status)) outcome.status = WEXITSTATUS(status);
  return outcome;
}

class MpiTest : public ::testing::Test {
 protected:
  void SetUp() override {
    if (std::string(STRATA_MPIEXEC).empty()) GTEST_SKIP() << "built without MPI";
  }

  static Outcome mpi_cases(int ranks, const std::string& mode, const std::string& options = "") {
    const std::string allow = geteuid() == 0 ? "OMPI_ALLOW_RUN_AS_ROOT=1 OMPI_ALLOW_RUN_AS_ROOT_CONFIRM=1 " : "";
    return run(allow + "OMP_NUM_THREADS=1 timeout -k 5 60 " STRATA_MPIEXEC " --oversubscribe " + options + " -np " +
               std::to_string(ranks) + " " STRATA_BIN_DIR "/tests/mpi_cases " + mode);
  }
};

class MpiRanksTest : public MpiTest, public ::testing::WithParamInterface<int> {};

TEST_P(MpiRanksTest, PassEveryCaseAndAgreeWithMpi) {
  const Outcome outcome = mpi_cases(GetParam(), "all");
  EXPECT_EQ(outcome.status, 0) << outcome.output;
  EXPECT_EQ(outcome.output, "");
}
INSTANTIATE_TEST_SUITE_P(Ranks, MpiRanksTest, ::testing::Values(1, 2, 3, 4));

TEST_F(MpiTest, AProgramThatUsesMpiItselfKeepsItsCommunicator) {
  const Outcome outcome = mpi_cases(3, "own");
  EXPECT_EQ(outcome.status, 0) << outcome.output;
}

TEST_F(MpiTest, WithoutALauncherMpiIsLeftAlone) {
  const Outcome outcome = run("timeout 20 " STRATA_BIN_DIR "/tests/mpi_cases single");
  EXPECT_EQ(outcome.status, 0) << outcome.output;
}

TEST_F(MpiTest, ALauncherOfAnotherMpiIsRefused) {
  const Outcome outcome =
      run("SLURM_PROCID=0 SLURM_STEP_NUM_TASKS=4 timeout 20 " STRATA_BIN_DIR "/tests/mpi_cases all");
  EXPECT_EQ(outcome.status, 1) << outcome.output;
  EXPECT_NE(outcome.output.find("started 4 ranks (SLURM_STEP_NUM_TASKS), but MPI sees 1"), std::string::npos)
      << outcome.output;
}

// mpirun would end the others itself: here it is told not to.
TEST_F(MpiTest, ARankThatDiesIsNamedByTheOthers) {
  const auto begin = std::chrono::steady_clock::now();
  const Outcome outcome = mpi_cases(3, "kill", "--enable-recovery");
  EXPECT_LT(std::chrono::steady_clock::now() - begin, std::chrono::seconds(20));
  for (const char* rank : {"rank 0", "rank 1"}) {
    EXPECT_NE(outcome.output.find(std::string("CommError(peer 2): ") + rank + " cannot finish"), std::string::npos)
        << outcome.output;
  }
}

TEST_F(MpiTest, ARankThatStopsIsNamedAfterTheDeadline) {
  const Outcome outcome = mpi_cases(2, "stop");
  EXPECT_NE(outcome.status, 0);
  EXPECT_NE(outcome.output.find("CommError(peer 1): rank 0 waited 2.0 s for rank 1"), std::string::npos)
      << outcome.output;
}

TEST_F(MpiTest, TheEndOfMpiDoesNotHang) {
  const auto begin = std::chrono::steady_clock::now();
  const Outcome outcome = mpi_cases(2, "late");
  EXPECT_LT(std::chrono::steady_clock::now() - begin, std::chrono::seconds(20));
  EXPECT_NE(outcome.status, 0);
  EXPECT_NE(outcome.output.find("MPI_Finalize did not return within 10 s"), std::string::npos) << outcome.output;
}

TEST_F(MpiTest, ARankThatFailsAloneEndsAll) {
  const auto begin = std::chrono::steady_clock::now();
  const Outcome outcome = mpi_cases(3, "fail");
  EXPECT_LT(std::chrono::steady_clock::now() - begin, std::chrono::seconds(10));
  EXPECT_NE(outcome.status, 0);
  EXPECT_NE(outcome.output.find("one rank alone has a bad option"), std::string::npos) << outcome.output;
}

}  // namespace
}  // namespace strata
