// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include "tests/support/process.h"

namespace strata::testing {
namespace {

TEST(Mpi, KeepsTheOutputsOfRanksApart) {
  const MpiOutcome outcome = run_mpi(3, {{"/bin/sh", "-c", "echo ${OMPI_COMM_WORLD_RANK:-$PMI_RANK}"}});
  EXPECT_TRUE(outcome.succeeded()) << outcome.text();
  EXPECT_EQ(outcome.out + outcome.err, "");
  ASSERT_EQ(outcome.ranks.size(), 3u);
  for (std::size_t r = 0; r < 3; ++r) EXPECT_EQ(outcome.ranks[r].out, std::to_string(r) + "\n");
}

TEST(Mpi, EndsAJobAtItsLimit) {
  const MpiOutcome outcome = run_mpi(2, {{"/bin/sleep", "60"}, {}, std::chrono::seconds(1)});
  EXPECT_FALSE(outcome.in_time);
  EXPECT_NE(outcome.status, 0);
  EXPECT_LT(outcome.seconds, 10.0);
}

}  // namespace
}  // namespace strata::testing
