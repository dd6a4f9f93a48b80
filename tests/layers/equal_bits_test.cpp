// SPDX-License-Identifier: Apache-2.0
// Training gives the same bits whatever ranks, threads and buckets do the work: a cover in which every two of the
// table's values meet, on ranks that are threads. tests/programs/mpi_equal_bits_test.cpp has real processes.
#include <gtest/gtest.h>

#include <set>

#include "tests/support/exact_training.h"
#include "tests/support/ranks.h"
#include "tests/support/recording_communicator.h"

namespace strata::testing {
namespace {

const TrainingTable& table() {
  static const TrainingTable table;
  return table;
}

TEST(Pairwise, EveryTwoValuesMeet) {
  const std::vector<int> sizes = table().sizes();
  const CaseRows rows = pairwise_rows(sizes);
  for (std::size_t a = 0; a < sizes.size(); ++a) {
    for (std::size_t b = a + 1; b < sizes.size(); ++b) {
      std::set<std::pair<int, int>> seen;
      for (const auto& row : rows) seen.insert({row.at(a), row.at(b)});
      EXPECT_EQ(static_cast<int>(seen.size()), sizes[a] * sizes[b]) << "columns " << a << " and " << b;
    }
  }
  EXPECT_LT(rows.size(), 40u);
}

TEST(Pairwise, AllRowsAreAllCombinations) {
  EXPECT_EQ(all_rows({2, 1, 2}), (CaseRows{{0, 0, 0}, {0, 0, 1}, {1, 0, 0}, {1, 0, 1}}));
}

class EqualBits : public ::testing::TestWithParam<TrainingCase> {};

TEST_P(EqualBits, OnThreads) {
  SCOPED_TRACE(GetParam().text());
  const TrainingResult expected = train_on_threads(GetParam().reference())[0];
  const auto results = train_on_threads(GetParam());
  for (std::size_t rank = 0; rank < results.size(); ++rank) {
    EXPECT_EQ(difference(expected, results[rank]), "") << "rank " << rank;
  }
}

INSTANTIATE_TEST_SUITE_P(Cover, EqualBits, ::testing::ValuesIn(table().cases(pairwise_rows(table().sizes()))));

// If what the runs are told made no difference, the cover would show nothing.
TEST(EqualBits, OtherOptimizersAndBatchesGiveOtherBits) {
  const TrainingCase run;
  const TrainingResult one = train_on_threads(run)[0];
  TrainingCase other = run;
  other.optimizer = "adam";
  EXPECT_NE(difference(one, train_on_threads(other)[0]), "");
  other = run;
  other.batch = 37;
  EXPECT_NE(difference(one, train_on_threads(other)[0]), "");
}

std::size_t sums_prepared(double bucket_mb) {
  std::size_t count = 0;
  run_ranks(2, [&](Communicator& communicator) {
    const auto recording = std::make_shared<RecordingCommunicator>(communicator);
    train({.ranks = 2, .bucket_mb = bucket_mb}, {.communicator = recording});
    if (communicator.rank() == 0) count = recording->prepared().size();
  });
  return count;
}

TEST(EqualBits, SmallBucketsAreMoreSums) { EXPECT_GT(sums_prepared(0.004), sums_prepared(0.25)); }

}  // namespace
}  // namespace strata::testing
