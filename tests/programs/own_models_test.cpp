// SPDX-License-Identifier: Apache-2.0
// The examples with layers and models of one's own.
#include <gtest/gtest.h>

#include <regex>

#include "tests/support/process.h"

namespace strata::testing {
namespace {

using ::testing::IsSubstring;

/// What the program prints.
std::string output_of(const std::string& program) {
  const Outcome outcome = run_process({{program}, {{"OMP_NUM_THREADS", "1"}}, std::chrono::seconds(60)});
  EXPECT_TRUE(outcome.succeeded()) << outcome.text();
  EXPECT_EQ(outcome.err, "");
  return outcome.out;
}

TEST(OwnModels, CustomDense) {
  const std::string out = output_of(STRATA_CUSTOM_DENSE);
  EXPECT_PRED_FORMAT2(IsSubstring, R"("class_name": "CustomDense")", out);
  EXPECT_PRED_FORMAT2(IsSubstring, R"("units": 10)", out);
  EXPECT_PRED_FORMAT2(IsSubstring, "\nUnknown layer: CustomDense", out);
  EXPECT_PRED_FORMAT2(IsSubstring, "\n(None, 10)\nequal outputs\n", out);
}

TEST(OwnModels, MlpSubclassed) {
  const std::string out = output_of(STRATA_MLP_SUBCLASSED);
  EXPECT_EQ(out,
            "functional: 2762 params\nsubclassed: 0 weights before the first call\nsubclassed: 4 weights after it\n"
            "equal weights after training\n");
}

TEST(OwnModels, CustomRnn) {
  const std::string out = output_of(STRATA_CUSTOM_RNN);
  EXPECT_EQ(out,
            "(1, 10, 32)\n(1, 1)\ncustom_rnn: 1281 params\n(16, 10, 5)\n(16, 8, 32)\n(16, 8, 1)\n"
            "conv1d: 512 params\ncustom_rnn_1: 2145 params\n(1, 10, 1)\n");
}

TEST(OwnModels, TreeRnn) {
  const std::string out = output_of(STRATA_TREE_RNN);
  std::smatch found;
  ASSERT_TRUE(std::regex_search(out, found, std::regex("step 0 - loss: ([0-9.]+)[^]*step 99 - loss: ([0-9.]+)")))
      << out;
  EXPECT_LT(std::stod(found[2]), 0.5 * std::stod(found[1])) << out;
  ASSERT_TRUE(std::regex_search(out, found, std::regex("right: ([0-9]+) of 200"))) << out;
  EXPECT_GE(std::stoi(found[1]), 180) << out;
  EXPECT_PRED_FORMAT2(IsSubstring, "must override `get_config`", out);
}

}  // namespace
}  // namespace strata::testing
