// SPDX-License-Identifier: Apache-2.0
// Training from files as real processes, alone and under mpirun; see loader_run.cpp.
#include <gtest/gtest.h>

#include <sstream>

#include "tests/support/files.h"
#include "tests/support/process.h"

namespace strata::testing {
namespace {

struct RankRun {
  std::string hash;
  long long samples = 0, sum = 0, bytes = 0, memory = 0, system = 0;
};

RankRun parsed(const std::string& out) {
  RankRun run;
  std::string word;
  std::istringstream(out) >> word >> run.hash >> word >> run.samples >> word >> run.sum >> word >> run.bytes >> word >>
      run.memory >> word >> run.system;
  return run;
}

class LoaderRuns : public ::testing::Test {
 protected:
  std::vector<RankRun> run(int ranks, const std::string& file, int blocks, int epochs, int batch) const {
    const Command command{{STRATA_BIN_DIR "/tests/loader_run", directory_.path(file), std::to_string(blocks),
                           std::to_string(epochs), std::to_string(batch), "1"},
                          {{"OMP_NUM_THREADS", "1"}}};
    if (ranks == 1) {
      const Outcome outcome = run_process(command);
      EXPECT_TRUE(outcome.succeeded()) << outcome.text();
      return {parsed(outcome.out)};
    }
    const MpiOutcome outcome = run_mpi(ranks, command);
    EXPECT_TRUE(outcome.succeeded()) << outcome.text();
    std::vector<RankRun> all;
    for (const auto& rank : outcome.ranks) all.push_back(parsed(rank.out));
    return all;
  }
  TemporaryDirectory directory_;
};

/// Every sample of every epoch once, equal bits, and each rank reads little more than its part of the file.
TEST_F(LoaderRuns, ReadTheirPartsOfAVirtualDataSetOnAnyRanks) {
  const Outcome made = run_process({{STRATA_BIN_DIR "/tests/hdf5_pictures", directory_.path(), "48", "0.07"}});
  ASSERT_TRUE(made.succeeded()) << made.text();
  const long long rows = std::atoll(made.out.c_str()), epochs = 2;
  const auto bytes = static_cast<double>(rows * epochs * (48 * 48 * 3 + 4));
  ASSERT_GT(rows, 8000);
  const std::vector<RankRun> alone = run(1, "large.h5", 5, epochs, 200);
  EXPECT_EQ(alone[0].samples, rows * epochs);
  for (int ranks = 2; have_mpi() && ranks <= 5; ++ranks) {
    long long samples = 0, sum = 0;
    const auto runs = run(ranks, "large.h5", 5, epochs, 200);
    ASSERT_EQ(runs.size(), static_cast<std::size_t>(ranks));
    for (const RankRun& rank : runs) {
      EXPECT_EQ(rank.hash, alone[0].hash) << ranks;
      samples += rank.samples;
      sum += rank.sum;
      const double part = static_cast<double>(rank.samples) / static_cast<double>(rows * epochs);
      EXPECT_LE(static_cast<double>(rank.bytes), 1.15 * part * bytes + 2e6) << ranks;
      // What the system read for the process as a whole: the program's own count is not all that tells.
      EXPECT_LE(static_cast<double>(rank.system), 1.2 * part * bytes + 4e6) << ranks;
    }
    EXPECT_EQ(samples, alone[0].samples) << ranks;
    EXPECT_EQ(sum, alone[0].sum) << ranks;
  }
}

}  // namespace
}  // namespace strata::testing
