// SPDX-License-Identifier: Apache-2.0
// The cases of tests/layers/equal_bits_test.cpp on ranks that are processes: a smaller table, in which every two values
// meet. `./dev bench bits` runs all combinations.
#include <gtest/gtest.h>

#include "tests/support/exact_processes.h"
#include "tests/support/process.h"

namespace strata::testing {
namespace {

constexpr const char* kProgram = STRATA_BIN_DIR "/tests/bits_run";
constexpr std::chrono::seconds kLimit{60};

TrainingTable table() {
  TrainingTable table;
  table.ranks = {2, 3, 4};
  table.batches = {13};
  table.buckets_mb = {0.0, 0.004};
  table.shared_memory = {true, false};
  return table;
}

class EqualBitsOfProcesses : public ::testing::TestWithParam<TrainingCase> {};

TEST_P(EqualBitsOfProcesses, UnderMpirun) {
  SCOPED_TRACE(GetParam().text());
  const TrainingResult expected = train_in_processes(kProgram, GetParam().reference(), kLimit);
  EXPECT_EQ(difference(expected, train_in_processes(kProgram, GetParam(), kLimit)), "");
}

// oneDNN's own variable stands for a rank on an older processor.
TEST(OtherInstructionSets, AreRefused) {
  std::vector<std::string> arguments{kProgram, "mlp", "adam", "13", "2", "1", "0", "0"};
  const std::vector<std::string> rank = arguments;
  arguments.insert(arguments.end(), {":", "-np", "1", "-x", "ONEDNN_MAX_CPU_ISA=SSE41"});
  arguments.insert(arguments.end(), rank.begin(), rank.end());
  const MpiOutcome outcome = run_mpi(2, {arguments, {}, kLimit});
  EXPECT_NE(outcome.status, 0);
  EXPECT_PRED_FORMAT2(::testing::IsSubstring, "The ranks have other instruction sets", outcome.text());
  EXPECT_PRED_FORMAT2(::testing::IsSubstring, " for sse41", outcome.text());
  EXPECT_PRED_FORMAT2(::testing::IsSubstring, " on rank 2 (host ", outcome.text());
}

INSTANTIATE_TEST_SUITE_P(Cover, EqualBitsOfProcesses,
                         ::testing::ValuesIn(table().cases(pairwise_rows(table().sizes()), {.epochs = 1})));

}  // namespace
}  // namespace strata::testing
