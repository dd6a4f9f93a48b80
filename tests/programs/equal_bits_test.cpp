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

class EqualBitsOfProcesses : public ::testing::TestWithParam<TrainingCase> {
 protected:
  void SetUp() override {
    if (!have_mpi()) GTEST_SKIP() << "built without MPI";
  }
};

TEST_P(EqualBitsOfProcesses, UnderMpirun) {
  SCOPED_TRACE(GetParam().text());
  const TrainingResult expected = train_in_processes(kProgram, GetParam().reference(), kLimit);
  EXPECT_EQ(difference(expected, train_in_processes(kProgram, GetParam(), kLimit)), "");
}

INSTANTIATE_TEST_SUITE_P(Cover, EqualBitsOfProcesses,
                         ::testing::ValuesIn(table().cases(pairwise_rows(table().sizes()), {.epochs = 1})));

}  // namespace
}  // namespace strata::testing
