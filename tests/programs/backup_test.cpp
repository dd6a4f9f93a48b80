// SPDX-License-Identifier: Apache-2.0
// Training that is killed again and again, at any instant, ends as if nothing had happened; see backup_run.cpp.
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

struct Ended {
  std::string hash;  // "" when it was killed
  double seconds = 0;
};

class BackupTest : public ::testing::Test {
 protected:
  /// backup_run on `ranks` ranks; rank `victim` dies after so many seconds of training, if any.
  Ended run(int ranks, int save_freq, int victim = 0, double after = 0) const {
    std::vector<std::string> arguments{STRATA_BIN_DIR "/tests/backup_run", path(), std::to_string(save_freq)};
    if (after > 0) {
      arguments.push_back(std::to_string(victim));
      arguments.push_back(std::to_string(static_cast<int>(after * 1e6) + 1));
    }
    const Command command{arguments, {{"OMP_NUM_THREADS", "1"}}};
    const long before = newest_checkpoint(path());
    std::string out;
    if (ranks == 1) {
      const Outcome outcome = run_process(command);
      EXPECT_TRUE(outcome.succeeded() || (after > 0 && outcome.status == -SIGKILL)) << outcome.text();
      out = outcome.out;
    } else {
      const MpiOutcome outcome = run_mpi(ranks, command);
      EXPECT_TRUE(outcome.succeeded() || (after > 0 && outcome.in_time)) << outcome.text();
      out = outcome.ranks.empty() ? "" : outcome.ranks[0].out;
    }
    Ended ended;
    if (has_begun(out)) {
      EXPECT_EQ(continued_after(out), before) << out;
    }
    std::istringstream last(last_line(out));
    if (!(last >> ended.hash >> ended.seconds) || ended.hash.size() != 16) ended.hash.clear();
    return ended;
  }

  /// Kills runs at random instants, each within `part` of the time that a whole one takes, until one ends by itself. On
  /// a machine with other work the whole one may have taken so long that nothing is killed: then sooner.
  void expect_same_end(int ranks, int save_freq, double part) {
    const Ended whole = run(ranks, save_freq);
    ASSERT_NE(whole.hash, "");
    EXPECT_FALSE(std::filesystem::exists(path()));
    std::uniform_real_distribution<double> when(0.0, part * whole.seconds);
    std::uniform_int_distribution<int> who(0, ranks - 1);
    int kills = 0;
    Ended last;
    double sooner = 1;
    while ((last.hash.empty() || kills == 0) && kills < 40) {
      last = run(ranks, save_freq, who(random_), sooner * when(random_));
      if (last.hash.empty()) ++kills;
      else sooner /= 2;
    }
    if (last.hash.empty()) last = run(ranks, save_freq);
    EXPECT_EQ(last.hash, whole.hash) << "after " << kills << " kills";
    EXPECT_GE(kills, 1);
    EXPECT_FALSE(std::filesystem::exists(path()));
  }

 private:
  std::string path() const { return directory_.path("backup"); }

  TemporaryDirectory directory_;
  std::mt19937 random_{4};
};

TEST_F(BackupTest, AfterEveryStep) { expect_same_end(1, 1, 0.3); }
TEST_F(BackupTest, AfterEveryEpoch) { expect_same_end(1, 0, 0.3); }

TEST_F(BackupTest, OfTwoRanksWhereThereIsMpi) { expect_same_end(have_mpi() ? 2 : 1, 1, 0.4); }

}  // namespace
}  // namespace strata::testing
