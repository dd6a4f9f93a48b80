// SPDX-License-Identifier: Apache-2.0
// A few random faults; tests/lab/random_faults.sh makes many.
#include <gtest/gtest.h>

#include "tests/support/process.h"

namespace strata::testing {
namespace {

TEST(RandomFaults, EndInSuccessOrErrorsInTime) {
  const Outcome outcome =
      run_process({{STRATA_BIN_DIR "/tests/random_faults", "12", "1"}, {}, std::chrono::seconds(100)});
  EXPECT_TRUE(outcome.succeeded()) << outcome.text();
  EXPECT_PRED_FORMAT2(::testing::IsSubstring, "threads: 4 ranks", outcome.out);
  EXPECT_EQ(outcome.out.find("processes: 4 ranks") != std::string::npos, have_mpi()) << outcome.out;
}

}  // namespace
}  // namespace strata::testing
