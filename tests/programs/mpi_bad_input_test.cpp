// SPDX-License-Identifier: Apache-2.0
// Bad input that only several ranks can have.
#include "tests/programs/bad_input.h"

namespace strata::testing {
namespace {

using ::testing::IsSubstring;

TEST_F(MnistMlpTest, MoreRanksThanBlocksAreRefused) {
  const BadInput bad{"", {"--blocks", "4"}, {"more ranks (5) than blocks (4)"}};
  expect_failed(on_ranks(5, bad.options, std::chrono::seconds(20)), bad);
}

// Ranks that exit before rank 0 has spoken would have mpirun end it: with many ranks on few cores some would.
TEST_F(MnistMlpTest, ManyRanksSayItOnce) {
  const BadInput bad{"", {"--data", path("nowhere")}, {"nowhere: expected a directory"}};
  for (int i = 0; i < 3; ++i) {
    const MpiOutcome outcome = on_ranks(8, bad.options, std::chrono::seconds(20));
    ASSERT_EQ(outcome.ranks.size(), 8u) << outcome.text();
    expect_failed(outcome, bad);
  }
}

// mpirun's ":" gives rank 1 a command line of its own.
TEST_F(MnistMlpTest, ARankWithAnErrorOfItsOwnSaysIt) {
  const std::string program = STRATA_MNIST_MLP;
  const MpiOutcome outcome = on_ranks(1, {"--data", path(""), "--epochs", "100000", "--verbose", "0", ":", "-np", "1",
                                          program, "--data", path("nowhere"), "--verbose", "0"});
  EXPECT_NE(outcome.status, 0) << outcome.text();
  EXPECT_LT(outcome.seconds, kBadInputSeconds);
  ASSERT_EQ(outcome.ranks.size(), 2u) << outcome.text();
  expect_one_line(outcome.ranks[1].err, {"", {}, {"nowhere: expected a directory"}});
}

TEST_F(MnistMlpTest, RanksWithOtherOptionsAreRefused) {
  const std::string program = STRATA_MNIST_MLP;
  const MpiOutcome outcome = on_ranks(1, {"--data", path(""), "--batch-size", "64", "--verbose", "0", ":", "-np", "1",
                                          program, "--data", path(""), "--batch-size", "32", "--verbose", "0"});
  EXPECT_NE(outcome.status, 0) << outcome.text();
  EXPECT_LT(outcome.seconds, kBadInputSeconds);
  ASSERT_EQ(outcome.ranks.size(), 2u) << outcome.text();
  EXPECT_PRED_FORMAT2(IsSubstring, "has another plan than rank 0", outcome.ranks[0].err + outcome.ranks[1].err);
}

}  // namespace
}  // namespace strata::testing
