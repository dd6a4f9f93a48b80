// SPDX-License-Identifier: Apache-2.0
// Training with checkpoints that is killed again and again, at any instant and around each file operation, and started
// again on another number of ranks, ends as if nothing had happened; see checkpoint_run.cpp.
// tests/lab/checkpoint_kills.sh is the same with more kills and a larger model.
#include <gtest/gtest.h>

#include <csignal>
#include <filesystem>
#include <random>
#include <sstream>

#include "tests/support/continued_run.h"
#include "tests/support/files.h"
#include "tests/support/process.h"

namespace strata::testing {
namespace {

constexpr int kPreempted = 85;

struct Ended {
  std::string hashes = {};  // "" when it did not come to its end
  double seconds = 0;
  int status = 0;  // of a run without mpirun
};

class CheckpointKills : public ::testing::Test {
 protected:
  /// checkpoint_run on `ranks` ranks, which ends as `how` says.
  Ended run(int ranks, const std::vector<std::string>& how = {}) const {
    std::vector<std::string> arguments{STRATA_BIN_DIR "/tests/checkpoint_run", path(), "10"};
    arguments.insert(arguments.end(), how.begin(), how.end());
    const Command command{arguments, {{"OMP_NUM_THREADS", "1"}}};
    const long before = newest_checkpoint(path());
    Ended ended;
    std::string out;
    if (ranks == 1) {
      const Outcome outcome = run_process(command);
      const bool expected = outcome.succeeded() || (!how.empty() && outcome.in_time &&
                                                    (outcome.status == -SIGKILL || outcome.status == kPreempted));
      EXPECT_TRUE(expected) << outcome.text();
      out = outcome.out;
      ended.status = outcome.status;
    } else {
      const MpiOutcome outcome = run_mpi(ranks, command);
      EXPECT_TRUE(outcome.succeeded() || (!how.empty() && outcome.in_time)) << outcome.text();
      // Whatever ended the ranks, it was not what they found on the disk.
      EXPECT_EQ(outcome.text().find(path() + ":"), std::string::npos) << outcome.text();
      out = outcome.ranks.empty() ? "" : outcome.ranks[0].out;
      ended.status = outcome.status;
    }
    if (has_begun(out)) {
      EXPECT_EQ(continued_after(out), before) << out;
    }
    std::string weights, history;
    std::istringstream last(last_line(out));
    if (last >> weights >> history >> ended.seconds && weights.size() == 16) ended.hashes = weights + " " + history;
    return ended;
  }

  std::string path() const { return directory_.path("c"); }
  void clear() const { std::filesystem::remove_all(path()); }

 private:
  TemporaryDirectory directory_;
};

TEST_F(CheckpointKills, AtAnyInstantAndAroundEachFileOperation) {
  const int most = have_mpi() ? 3 : 1;
  const Ended whole = run(1);
  ASSERT_NE(whole.hashes, "");
  std::mt19937 random(5);
  const auto below = [&](int n) { return static_cast<int>(random() % static_cast<unsigned>(n)); };
  int kills = 0, starts = 0;
  while (kills < 20 && ++starts < 100) {
    clear();
    Ended last;
    long saved = 0;
    // Some kills a run, since later ones have other things to find.
    for (int k = 0; k < 4 && last.hashes.empty(); ++k) {
      const int ranks = 1 + below(most);
      const std::string rank = std::to_string(below(3) == 0 ? -1 : below(ranks));
      const int kind = below(3);
      last = kind == 0 ? run(ranks, {rank, "time", std::to_string(below(1 + static_cast<int>(whole.seconds * 1e6)))})
                       : run(ranks, {rank, kind == 1 ? "before" : "after", std::to_string(below(40))});
      if (last.hashes.empty()) ++kills;
      ASSERT_GE(newest_checkpoint(path()), saved) << "a complete checkpoint is lost, after " << kills << " kills";
      saved = newest_checkpoint(path());
    }
    if (last.hashes.empty()) last = run(1 + below(most));
    ASSERT_EQ(last.hashes, whole.hashes) << "after " << kills << " kills";
  }
  EXPECT_GE(kills, 20);
}

TEST_F(CheckpointKills, ToldToStopEveryRankSavesAndExitsWith85) {
  const Ended whole = run(1);
  const int most = have_mpi() ? 2 : 1;
  for (int ranks = 1; ranks <= most; ++ranks) {
    clear();
    const Ended told = run(ranks, {"0", "told", std::to_string(static_cast<int>(whole.seconds * 0.3e6))});
    EXPECT_EQ(told.hashes, "");
    EXPECT_EQ(told.status, kPreempted);
    const Ended again = run(ranks);
    EXPECT_EQ(again.hashes, whole.hashes);
  }
}

}  // namespace
}  // namespace strata::testing
