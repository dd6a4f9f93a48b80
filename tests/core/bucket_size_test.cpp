// SPDX-License-Identifier: Apache-2.0
// The size of buckets follows from what sums take.
#include "core/training/bucket_size.h"

#include <gtest/gtest.h>

#include "tests/support/ranks.h"

namespace strata {
namespace {

constexpr double kKilo = 1024, kMega = 1024 * kKilo;

/// Of sums that take `fixed` seconds, and `per_byte` for each byte.
double chosen(double fixed, double per_byte) {
  return static_cast<double>(
      choose_bucket_bytes(64 * kKilo, fixed + 64 * kKilo * per_byte, kMega, fixed + kMega * per_byte));
}

TEST(BucketSize, MakesTheFixedCostATwentiethOfTheRest) {
  EXPECT_NEAR(chosen(50e-6, 1e-9), 1e6, 2);   // 50 us, 1 GB/s
  EXPECT_NEAR(chosen(100e-6, 1e-9), 2e6, 2);  // later to answer: larger
  EXPECT_NEAR(chosen(50e-6, 2e-9), 5e5, 2);   // slower: smaller
}

TEST(BucketSize, KeepsWithinLimitsWhateverWasMeasured) {
  EXPECT_EQ(chosen(1e-9, 1e-6), 256 * kKilo);
  EXPECT_EQ(chosen(1.0, 1e-9), 16 * kMega);
  EXPECT_EQ(chosen(-1e-6, 1e-9), 256 * kKilo);    // noise: the long sum was the faster one for its size
  EXPECT_EQ(chosen(200e-6, -1e-10), 16 * kMega);  // and faster altogether
}

TEST(BucketSize, IsEqualOnAllRanks) {
  std::vector<std::size_t> sizes(3);
  testing::run_ranks(3, [&](Communicator& c) { sizes[static_cast<std::size_t>(c.rank())] = measure_bucket_bytes(c); });
  EXPECT_EQ(sizes, std::vector<std::size_t>(3, sizes[0]));
  EXPECT_GE(sizes[0], std::size_t{256} * 1024);
}

}  // namespace
}  // namespace strata
