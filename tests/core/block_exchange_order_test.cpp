// SPDX-License-Identifier: Apache-2.0
// Sums of gradients and sums within the program start in one order on every rank: a communicator may rely on it.
#include <gtest/gtest.h>

#include <algorithm>
#include <mutex>

#include "tests/support/block_training.h"
#include "tests/support/ranks.h"
#include "tests/support/recording_communicator.h"

namespace strata {
namespace {

using testing::RecordingCommunicator;
using Started = std::vector<int>;

TEST(BlockExchangeOrder, IsTheSameOnEveryRankEvenWithoutSamples) {
  for (const int threads : {1, 2}) {
    const std::vector<Dim> batches{13, 2, 1, 8};
    std::mutex mutex;
    std::vector<Started> all;
    testing::run_ranks(4, [&](Communicator& communicator) {
      RecordingCommunicator recording(communicator);
      testing::train_with_block_sums(recording, batches, {.blocks = 6, .threads = threads, .bucket_bytes = 64});
      const std::lock_guard lock(mutex);
      all.push_back(recording.started());
    });
    for (const Started& started : all) EXPECT_EQ(started, all[0]);
    // Buckets are prepared before the sums within the program. Some of them start before the last of those: they travel
    // while the backward pass goes on.
    const Started step(all[0].begin(), all[0].begin() + static_cast<std::ptrdiff_t>(all[0].size() / batches.size()));
    const int sums = *std::max_element(step.begin(), step.end());
    EXPECT_EQ(step.front(), sums - 6) << "4 means and counts, a denominator, 2 gradients, one of which is the last";
    EXPECT_NE(std::find(step.begin(), step.end(), sums) - step.begin(), 6) << "a bucket starts before the last sum";
  }
}

}  // namespace
}  // namespace strata
