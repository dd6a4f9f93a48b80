// SPDX-License-Identifier: Apache-2.0
// Random ops: the generator's published test vectors, which counter every element comes from, and the distributions.
#include <gtest/gtest.h>

#include <cmath>
#include <numbers>

#include "core/base/error.h"
#include "core/ops/ops.h"
#include "core/ops/random.h"
#include "tests/support/expect_error.h"

namespace strata {
namespace {

using testing::expect_error;

RandomKey key(std::int64_t seed, std::int64_t step = 0, std::int64_t sample = 0, std::uint64_t stream = 0) {
  return {constant({seed, step, sample}, {3}), stream};
}

// The known answers for philox4x32-10 that come with Random123 (Salmon et al., SC'11).
TEST(Philox, GivesTheKnownAnswers) {
  EXPECT_EQ(philox4x32({0, 0, 0, 0}, {0, 0}), (PhiloxCounter{0x6627e8d5, 0xe169c58d, 0xbc57ac4c, 0x9b00dbd8}));
  constexpr std::uint32_t ones = 0xffffffff;
  EXPECT_EQ(philox4x32({ones, ones, ones, ones}, {ones, ones}),
            (PhiloxCounter{0x408f276d, 0x41c83b0e, 0xa20bc7c6, 0x6d5451fd}));
  EXPECT_EQ(philox4x32({0x243f6a88, 0x85a308d3, 0x13198a2e, 0x03707344}, {0xa4093822, 0x299f31d0}),
            (PhiloxCounter{0xd16cfe09, 0x94fdcceb, 0x5001e420, 0x24126ea1}));
}

TEST(RandomUniform, TakesElementsFromTheDocumentedCounters) {
  constexpr std::int64_t step = (std::int64_t{3} << 32) + 5;
  constexpr std::int64_t sample = (std::int64_t{1} << 33) - 2;
  const std::vector<float> values = ops::random_uniform(key(11, step, sample, 4), {4, 3, 3}, 0, 1).to_vector<float>();
  const PhiloxKey philox_key = random_key(11, 4, step);
  for (std::uint64_t row = 0; row < 4; ++row) {
    for (std::uint32_t column = 0; column < 9; ++column) {
      const std::uint64_t g = sample + row;
      const auto block =
          philox4x32({static_cast<std::uint32_t>(g), static_cast<std::uint32_t>(g >> 32), column / 4, 5}, philox_key);
      EXPECT_EQ(values[row * 9 + column], unit_float(block[column % 4])) << row << ", " << column;
    }
  }
}

TEST(RandomUniform, TakesTwoWordsForADouble) {
  const std::vector<double> values =
      ops::random_uniform(key(1, 2, 3), {2, 3}, 0, 1, Dtype::float64).to_vector<double>();
  const auto block = philox4x32({4, 0, 1, 2}, random_key(1, 0, 2));
  EXPECT_EQ(values[5], unit_double(block[0], block[1]));
}

// What makes training independent of the number of ranks.
TEST(RandomOps, RowsOfAPartAreThoseOfTheWhole) {
  for (Dim columns : {1, 5, 64, 257}) {
    const auto draws = [&](std::int64_t first, Dim rows) {
      const RandomKey k = key(42, 17, 1000 + first, 3);
      return std::vector<Tensor>{ops::random_uniform(k, {rows, columns}), ops::random_normal(k, {rows, columns}),
                                 ops::cast(ops::random_bernoulli(k, {rows, columns}, 0.5), Dtype::float32)};
    };
    const std::vector<Tensor> whole = draws(0, 100);
    const std::vector<Tensor> middle = draws(37, 26);
    for (std::size_t i = 0; i < whole.size(); ++i) {
      const Tensor rows = ops::slice(whole[i], {37, 0}, {63, None});
      EXPECT_EQ(middle[i].to_vector<float>(), rows.to_vector<float>());
    }
  }
}

TEST(RandomOps, DifferInSeedStepSampleAndStream) {
  const std::vector<float> base = ops::random_uniform(key(1, 2, 3, 4), {50}).to_vector<float>();
  for (const RandomKey& other : {key(2, 2, 3, 4), key(1, 3, 3, 4), key(1, 2, 103, 4), key(1, 2, 3, 5),
                                 key(1, 2 + (std::int64_t{1} << 32), 3, 4)}) {
    const std::vector<float> values = ops::random_uniform(other, {50}).to_vector<float>();
    int equal = 0;
    for (std::size_t i = 0; i < base.size(); ++i) equal += base[i] == values[i] ? 1 : 0;
    EXPECT_LE(equal, 1);
  }
  EXPECT_EQ(base, ops::random_uniform(key(1, 2, 3, 4), {50}).to_vector<float>());
}

/// Mean, variance and fourth moment about the mean.
struct Moments {
  double mean = 0, variance = 0, fourth = 0;
  explicit Moments(const std::vector<double>& values) {
    const auto n = static_cast<double>(values.size());
    for (double v : values) mean += v / n;
    for (double v : values) {
      const double square = (v - mean) * (v - mean);
      variance += square / n;
      fourth += square * square / n;
    }
  }
};

std::vector<double> doubles(const Tensor& t) { return ops::cast(t, Dtype::float64).to_vector<double>(); }

constexpr Dim kRows = 500;  // times 400 columns: 200,000 numbers; bounds below are five standard deviations or more

TEST(RandomUniform, IsUniform) {
  for (Dtype dtype : {Dtype::float32, Dtype::float64}) {
    const std::vector<double> values = doubles(ops::random_uniform(key(5), {kRows, 400}, -2, 4, dtype));
    const Moments m(values);
    EXPECT_NEAR(m.mean, 1.0, 0.02);
    EXPECT_NEAR(m.variance, 3.0, 0.03);
    EXPECT_NEAR(m.fourth, 16.2, 0.3);
    int below_quarter = 0;
    for (double v : values) {
      ASSERT_GE(v, -2.0);
      ASSERT_LT(v, 4.0);
      below_quarter += v < -0.5 ? 1 : 0;
    }
    EXPECT_NEAR(below_quarter / 200000.0, 0.25, 0.005);
  }
}

TEST(RandomUniform, StaysBelowItsUpperBoundWhenRoundingWouldReachIt) {
  for (float v : ops::random_uniform(key(9), {100, 100}, 1e6, 1e6 + 0.25).to_vector<float>()) {
    ASSERT_GE(v, 1e6f);
    ASSERT_LT(v, 1e6f + 0.25f);
  }
  EXPECT_EQ(ops::random_uniform(key(9), {3}, 2, 2).to_vector<float>(), (std::vector<float>{2, 2, 2}));
}

TEST(RandomNormal, IsNormal) {
  for (Dtype dtype : {Dtype::float32, Dtype::float64}) {
    const std::vector<double> values = doubles(ops::random_normal(key(6), {kRows, 400}, 3, 2, dtype));
    const Moments m(values);
    EXPECT_NEAR(m.mean, 3.0, 0.025);
    EXPECT_NEAR(m.variance, 4.0, 0.07);
    EXPECT_NEAR(m.fourth, 48.0, 2.5);
    int within_one = 0;
    for (double v : values) within_one += std::fabs(v - 3) < 2 ? 1 : 0;
    EXPECT_NEAR(within_one / 200000.0, 0.682689, 0.006);
  }
}

TEST(RandomNormal, IsBoxAndMullersOfTheWords) {
  const std::vector<float> values = ops::random_normal(key(6, 0, 1), {1, 4}).to_vector<float>();
  const auto words = philox4x32({1, 0, 0, 0}, random_key(6, 0, 0));
  for (std::size_t pair = 0; pair < 2; ++pair) {
    const double radius = std::sqrt(-2 * std::log(1.0 - unit_float(words[2 * pair])));
    const double angle = 2 * std::numbers::pi * unit_float(words[2 * pair + 1]);
    EXPECT_NEAR(values[2 * pair], radius * std::cos(angle), 2e-6);
    EXPECT_NEAR(values[2 * pair + 1], radius * std::sin(angle), 2e-6);
  }
}

TEST(RandomBernoulli, HasItsProbability) {
  for (double probability : {0.0, 0.1, 0.5, 0.999, 1.0}) {
    const Moments m(doubles(ops::random_bernoulli(key(7), {kRows, 400}, probability)));
    const double deviation = std::sqrt(probability * (1 - probability) / 200000);
    EXPECT_NEAR(m.mean, probability, 5 * deviation + 1e-9);
  }
}

TEST(RandomOps, NeighbouringRowsAndColumnsAreUncorrelated) {
  const std::vector<double> v = doubles(ops::random_normal(key(8), {kRows, 400}));
  double rows = 0;
  double columns = 0;
  for (std::size_t i = 0; i + 400 < v.size(); ++i) {
    columns += v[i] * v[i + 1];
    rows += v[i] * v[i + 400];
  }
  EXPECT_NEAR(rows / 199600, 0, 0.012);
  EXPECT_NEAR(columns / 199600, 0, 0.012);
}

TEST(RandomOps, RejectWhatTheyCannotDraw) {
  expect_error<ConfigError>([] { ops::random_bernoulli(key(1), {2}, 1.5); },
                            "random_bernoulli: expected a probability in [0, 1], received 1.500000");
  expect_error<ConfigError>([] { ops::random_uniform(key(1), {2}, 2, 1); },
                            "random_uniform: expected low <= high, received low=2.000000 and high=1.000000");
  expect_error<ConfigError>([] { ops::random_normal(key(1), {2}, 0, -1); },
                            "random_normal: expected stddev >= 0, received -1.000000");
  expect_error<DtypeError>([] { ops::random_uniform(key(1), {2}, 0, 1, Dtype::int32); },
                           "random_uniform: expected a floating dtype, received int32");
  expect_error<DtypeError>(
      [] {
        ops::random_normal({constant({1.0f, 2.0f, 3.0f}, {3})}, {2});
      },
      "random_normal: expected a state of dtype int64, received float32 (3,)");
  expect_error<ShapeError>([] { ops::random_bernoulli({constant({std::int64_t{1}}, {1})}, {2}, 0.5); },
                           "random_bernoulli: expected a state of shape (3,), received (1,)");
}

}  // namespace
}  // namespace strata
