// SPDX-License-Identifier: Apache-2.0
// Sums that travel between hosts as bfloat16: equal on all ranks, and right over many steps.
#include <gtest/gtest.h>

#include <cmath>
#include <cstring>
#include <limits>
#include <numeric>
#include <vector>

#include "distributed/error_feedback.h"
#include "strata/strata.h"
#include "tests/support/communicator_cases.h"
#include "tests/support/ranks.h"

namespace strata {
namespace {

using Hosts = std::vector<int>;

constexpr Dim kCount = 20'000;

/// Adds the same partials again and again; returns the mean of all sums and the first of them.
struct Sums {
  std::vector<double> mean = std::vector<double>(kCount);
  std::vector<float> first;
};

Sums sum_often(Communicator& c, int times, bool compress) {
  testing::Partials<float> partials(c, cpu_device(), c.size() + 1, kCount);
  BlockSumSpec spec = partials.spec();
  spec.compress = compress;
  const auto sum = c.prepare_block_sum(cpu_device(), spec);
  Sums sums;
  for (int time = 0; time < times; ++time) {
    partials.fill();
    sum->start();
    sum->wait();
    const auto* result = reinterpret_cast<const float*>(partials.pointers[0]);
    if (time == 0) sums.first.assign(result, result + kCount);
    for (std::size_t i = 0; i < sums.mean.size(); ++i) sums.mean[i] += double{result[i]} / times;
    // Every rank has the same bits.
    std::vector<float> all(static_cast<std::size_t>(kCount * c.size()));
    c.allgather(result, all.data(), kCount * sizeof(float));
    for (int r = 0; r < c.size(); ++r) {
      testing::require(std::memcmp(all.data() + r * kCount, result, kCount * sizeof(float)) == 0, "equal bits");
    }
  }
  return sums;
}

/// How far `values` is from what the partials add up to, at most, in parts of the sizes that were added.
template <class T>
double worst_error(const std::vector<T>& values, Dim blocks) {
  std::vector<std::vector<float>> partials;
  for (Dim b = 0; b < blocks; ++b) partials.push_back(testing::block_values<float>(b, kCount));
  double worst = 0;
  for (std::size_t i = 0; i < values.size(); ++i) {
    double exact = 0, size = 0;
    for (const auto& partial : partials) {
      exact += partial[i];
      size += std::fabs(partial[i]);
    }
    worst = std::max(worst, std::fabs(values[i] - exact) / size);
  }
  return worst;
}

class Compressed : public ::testing::TestWithParam<Hosts> {};

TEST_P(Compressed, LosesNothingOverManySteps) {
  const Hosts hosts = GetParam();
  const int ranks = std::accumulate(hosts.begin(), hosts.end(), 0);
  constexpr int kTimes = 64;
  testing::run_ranks(
      ranks,
      [&](Communicator& c) {
        const Sums sums = sum_often(c, kTimes, true);
        const double once = worst_error(sums.first, c.size() + 1);
        // A bfloat16 has 8 bits, so rounding takes at most 2^-8 of it; a value is rounded on each level of the tree of
        // hosts and at the end.
        const double levels = std::ceil(std::log2(static_cast<double>(hosts.size()))) + 1;
        EXPECT_LE(once, levels * std::ldexp(1.0, -8) * 1.01);
        EXPECT_GT(once, std::ldexp(1.0, -12)) << "nothing was rounded";
        // What is still owed at the end is one rounding each.
        EXPECT_LE(worst_error(sums.mean, c.size() + 1), 4 * once / kTimes);
      },
      hosts);
}

INSTANTIATE_TEST_SUITE_P(Hosts, Compressed,
                         ::testing::Values(Hosts{1, 1}, Hosts{1, 1, 1}, Hosts{2, 2}, Hosts{1, 2, 1},
                                           Hosts{1, 1, 1, 1, 1}));

TEST(Compressed, ChangesNothingOnOneHost) {
  testing::run_ranks(3, [](Communicator& c) { EXPECT_EQ(sum_often(c, 2, true).first, sum_often(c, 2, false).first); });
}

/// The weights that two ranks end with, which share a host or not.
std::uint64_t train(const Hosts& hosts, bool compress) {
  std::uint64_t weights = 0;
  testing::run_ranks(
      2,
      [&](Communicator& communicator) {
        auto input = Input({20});
        Model model(input, layers::Dense(3)(layers::Dense(40, {.activation = "tanh"})(input)));
        model.compile({.optimizer = "adam", .loss = "mse"});
        const Tensor x = ops::random_uniform({constant<std::int64_t>({1, 2, 3}, {3})}, {32, 20}, -1.0, 1.0);
        model.fit(x, ops::slice(x, {0, 0}, {32, 3}), {.batch_size = 8, .verbose = 0, .compress_transfer = compress});
        const std::uint64_t own = model.weights_hash();
        std::uint64_t all[2] = {};
        communicator.allgather(&own, all, sizeof own);
        EXPECT_EQ(all[0], all[1]);
        if (communicator.rank() == 0) weights = own;
      },
      hosts);
  return weights;
}

TEST(Compressed, TrainingChangesItsBitsBetweenHostsAlone) {
  EXPECT_EQ(train({2}, false), train({1, 1}, false));
  EXPECT_EQ(train({2}, true), train({2}, false));
  EXPECT_NE(train({1, 1}, true), train({1, 1}, false));
  EXPECT_EQ(train({1, 1}, true), train({1, 1}, true));
}

TEST(ErrorFeedback, KeepsNoErrorOfWhatIsNotFinite) {
  const float infinity = std::numeric_limits<float>::infinity();
  std::vector<float> values{infinity, -infinity, std::nanf(""), std::numeric_limits<float>::max(), 1.00001F};
  std::vector<float> errors(values.size());
  std::vector<Bfloat16> sent(values.size());
  encode_with_feedback(sent.data(), values.data(), errors.data(), values.size());
  EXPECT_EQ(errors[0], 0.0F);
  EXPECT_EQ(errors[1], 0.0F);
  EXPECT_EQ(errors[2], 0.0F);
  EXPECT_EQ(errors[3], 0.0F) << "rounds to infinity";
  EXPECT_TRUE(std::isnan(float{sent[2]}));
  EXPECT_EQ(float{sent[4]} + errors[4], 1.00001F);
}

}  // namespace
}  // namespace strata
