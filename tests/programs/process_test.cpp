// SPDX-License-Identifier: Apache-2.0
// The helper that starts programs: a test of others is worth what it is.
#include "tests/support/process.h"

#include <gtest/gtest.h>
#include <signal.h>

#include <system_error>

namespace strata::testing {
namespace {

TEST(Process, TellsTheStatusAndBothOutputs) {
  const Outcome outcome = run_process({{"/bin/ls", "/dev/null", "/dev/nothing"}, {{"LC_ALL", "C"}}});
  EXPECT_EQ(outcome.status, 2) << outcome.text();
  EXPECT_TRUE(outcome.in_time);
  EXPECT_FALSE(outcome.succeeded());
  EXPECT_EQ(outcome.out, "/dev/null\n");
  EXPECT_PRED_FORMAT2(::testing::IsSubstring, "/dev/nothing", outcome.err);
}

TEST(Process, AddsToTheEnvironmentAndReplaces) {
  setenv("STRATA_TEST_A", "before", 1);
  const Outcome outcome = run_process({{"/usr/bin/env"}, {{"STRATA_TEST_A", "after"}, {"STRATA_TEST_B", "b=c d"}}});
  unsetenv("STRATA_TEST_A");
  EXPECT_TRUE(outcome.succeeded()) << outcome.text();
  const std::string out = "\n" + outcome.out;
  EXPECT_PRED_FORMAT2(::testing::IsSubstring, "\nSTRATA_TEST_A=after\n", out);
  EXPECT_PRED_FORMAT2(::testing::IsNotSubstring, "STRATA_TEST_A=before", out);
  EXPECT_PRED_FORMAT2(::testing::IsSubstring, "\nSTRATA_TEST_B=b=c d\n", out);
  EXPECT_PRED_FORMAT2(::testing::IsSubstring, "\nPATH=", out);
}

TEST(Process, TakesMoreOutputThanAPipeHolds) {
  const Outcome outcome = run_process({{"/usr/bin/head", "-c", "1000000", "/dev/zero"}});
  EXPECT_TRUE(outcome.succeeded());
  EXPECT_EQ(outcome.out, std::string(1'000'000, '\0'));
}

TEST(Process, EndsAProgramAtItsLimit) {
  const Outcome outcome = run_process({{"/bin/sleep", "60"}, {}, std::chrono::seconds(1)});
  EXPECT_FALSE(outcome.in_time);
  EXPECT_EQ(outcome.status, -SIGTERM) << outcome.text();
  EXPECT_GE(outcome.seconds, 1.0);
  EXPECT_LT(outcome.seconds, 4.0);
}

TEST(Process, DoesNotWaitForAGrandchildThatKeepsThePipe) {
  const Outcome outcome = run_process({{"/bin/sh", "-c", "sleep 20 & echo started"}});
  EXPECT_TRUE(outcome.succeeded());
  EXPECT_EQ(outcome.out, "started\n");
  EXPECT_LT(outcome.seconds, 10.0);
}

TEST(Process, SaysWhatCannotBeStarted) { EXPECT_THROW(run_process({{"/dev/nothing"}}), std::system_error); }

}  // namespace
}  // namespace strata::testing
