// SPDX-License-Identifier: Apache-2.0
// What strata_flight says of runs of processes that were killed, went different ways, or ended in order.
#include <gtest/gtest.h>

#include "tests/support/files.h"
#include "tests/support/process.h"

namespace strata {
namespace {

void expect_has(const std::string& text, const std::string& part) {
  EXPECT_PRED_FORMAT2(::testing::IsSubstring, part, text);
}

/// mpi_cases MODE on three ranks, then what strata_flight says of it.
class FlightMpiTest : public ::testing::Test {
 protected:
  std::string page_after(const std::string& mode) const {
    testing::Command command{{STRATA_BIN_DIR "/tests/mpi_cases", mode},
                             {{"STRATA_FLIGHT_RECORDER", directory_.path("")}}};
    const testing::MpiOutcome outcome = testing::run_mpi(3, command, testing::OnLostRank::others_live);
    EXPECT_LT(outcome.seconds, 30) << outcome.text();
    const testing::Outcome page =
        testing::run_process({{STRATA_BIN_DIR "/strata_flight", directory_.path(""), "--last", "4"}});
    EXPECT_TRUE(page.succeeded()) << page.text();
    return page.out;
  }

 private:
  testing::TemporaryDirectory directory_;
};

TEST_F(FlightMpiTest, ThePageNamesAKilledRankAndTheSum) {
  const std::string page = page_after("kill_in_sum");
  const std::string sum = "#15 block sum 0 (the gradients of dense) (1.2 MB; epoch 1, step 5)";
  expect_has(page, "Communicator 0 of 3 ranks, opened ");
  expect_has(page, sum + " since ");
  expect_has(page, ". Its process has ended.\n");
  expect_has(
      page, sum + ":\n    ranks 0 and 1 waited in it and failed.\n" + "    rank 2 was in it when its process ended.\n");
  expect_has(page,
             "(32 B; epoch 1, step 5):\n    ranks 0 and 1 waited in it and failed.\n"
             "    rank 2 has not come to it: it is in " +
                 sum);
  expect_has(page, "  rank 2 was killed, crashed or left early");
  expect_has(page, "  rank 0 failed at ");
  expect_has(page, " cannot finish ");
  expect_has(page, "block sum 1 (losses and metrics); late: ");
  expect_has(page, "; never: 2\n");
}

TEST_F(FlightMpiTest, ThePageSaysWhereARankWentAnotherWay) {
  const std::string page = page_after("diverge");
  expect_has(page, "  Ranks went different ways at #15:\n");
  expect_has(page, "    ranks 0 and 2 were in #15 block sum 0 (the gradients of dense) (1.2 MB; epoch 1, step 5).\n");
  expect_has(page, "    rank 1 was in #15 barrier (0 B; epoch 1, step 5).\n");
}

TEST_F(FlightMpiTest, ThePageOfARunThatEndedInOrderHasNothingToSay) {
  const std::string page = page_after("train");
  expect_has(page, " and begun nothing since. It closed the communicator in order at ");
  expect_has(page, "Nobody waits");
  EXPECT_EQ(page.find("killed"), std::string::npos) << page;
}

}  // namespace
}  // namespace strata
