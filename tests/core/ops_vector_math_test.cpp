// SPDX-License-Identifier: Apache-2.0
// The float functions of vector_math against the standard library in double, over all exponents, both signs, infinities
// and NaN.
#include <gtest/gtest.h>

#include <bit>
#include <cmath>
#include <limits>

#include "core/base/thread_environment.h"
#include "core/ops/ops.h"
#include "core/ops/vector_math.h"

namespace strata {
namespace {

constexpr double kSmallestNormal = std::numeric_limits<float>::min();

/// Floats spread evenly over all bit patterns, and those at the borders.
std::vector<float> all_kinds_of_floats() {
  std::vector<float> values{0.0f,
                            -0.0f,
                            1.0f,
                            -1.0f,
                            0.5f,
                            std::numeric_limits<float>::infinity(),
                            88.7f,
                            88.8f,
                            -87.4f,
                            -103.9f,
                            89.0f,
                            -std::numeric_limits<float>::infinity(),
                            std::numeric_limits<float>::max(),
                            std::numeric_limits<float>::quiet_NaN(),
                            std::numeric_limits<float>::min(),
                            std::numeric_limits<float>::denorm_min()};
  for (std::uint64_t bits = 0; bits < (std::uint64_t{1} << 32); bits += 4001) {
    values.push_back(std::bit_cast<float>(static_cast<std::uint32_t>(bits)));
  }
  return values;
}

/// The distance in units in the last place of the true value; results below the smallest normal number may be flushed.
double error_in_ulps(float got, double want) {
  if (std::isnan(want)) return std::isnan(got) ? 0 : HUGE_VAL;
  const auto rounded = static_cast<float>(want);
  if (std::isinf(rounded) || std::isinf(got)) return rounded == got ? 0 : HUGE_VAL;
  const double size = std::fabs(want);
  if (size < kSmallestNormal) return std::fabs(got - want) <= kSmallestNormal ? 0 : HUGE_VAL;
  return std::fabs(got - want) / std::ldexp(1.0, std::ilogb(size) - 23);
}

struct Function {
  const char* name;
  Tensor (*op)(const Tensor&);
  float (*plain)(float);
  double (*exact)(double);
  double ulps;
  float limit;
};

void PrintTo(const Function& f, std::ostream* out) { *out << f.name; }

class VectorMath : public ::testing::TestWithParam<Function> {};

TEST_P(VectorMath, IsWithinAFewUnitsInTheLastPlace) {
  const Function& f = GetParam();
  std::vector<float> x;
  for (float v : all_kinds_of_floats()) {
    if (!(std::fabs(v) > f.limit)) x.push_back(v);
  }
  const auto n = static_cast<Dim>(x.size());
  const std::vector<float> y = f.op(constant(x, {n})).to_vector<float>();
  double worst = 0;
  for (std::size_t i = 0; i < x.size(); ++i) {
    // The engine reads denormal numbers as zeros.
    const double at = std::fabs(x[i]) < kSmallestNormal ? std::copysign(0.0, x[i]) : x[i];
    const double error = error_in_ulps(y[i], f.exact(at));
    worst = std::max(worst, error);
    ASSERT_LE(error, f.ulps) << f.name << "(" << std::hexfloat << x[i] << ") = " << y[i];
  }
  EXPECT_GT(worst, 0.4) << "the comparison measures something";
}

TEST_P(VectorMath, HasTheSameBitsInEveryInstructionSet) {
  const Function& f = GetParam();
  std::vector<float> x = all_kinds_of_floats();
  const std::vector<float> vectorised = f.op(constant(x, {static_cast<Dim>(x.size())})).to_vector<float>();
  const ThreadEnvironment environment;
  for (std::size_t i = 0; i < x.size(); ++i) {
    if (std::fabs(x[i]) > f.limit) continue;
    const float plain = f.plain(x[i]);  // compiled for the baseline instruction set
    if (std::isnan(plain) && std::isnan(vectorised[i])) continue;
    ASSERT_EQ(std::bit_cast<std::uint32_t>(plain), std::bit_cast<std::uint32_t>(vectorised[i]))
        << f.name << "(" << std::hexfloat << x[i] << ")";
  }
}

constexpr float kAny = std::numeric_limits<float>::infinity();

#define STRATA_PLAIN(function) [](float x) { return vector_math::function(x); }

INSTANTIATE_TEST_SUITE_P(
    Ops, VectorMath,
    ::testing::Values(
        Function{"exp", &ops::exp, STRATA_PLAIN(exp), [](double x) { return std::exp(x); }, 1.0, kAny},
        Function{"expm1", &ops::expm1, STRATA_PLAIN(expm1), [](double x) { return std::expm1(x); }, 1.5, kAny},
        Function{"log", &ops::log, STRATA_PLAIN(log), [](double x) { return std::log(x); }, 1.0, kAny},
        Function{"log1p", &ops::log1p, STRATA_PLAIN(log1p), [](double x) { return std::log1p(x); }, 1.5, kAny},
        Function{"tanh", &ops::tanh, STRATA_PLAIN(tanh), [](double x) { return std::tanh(x); }, 2.5, kAny},
        Function{"erf", &ops::erf, STRATA_PLAIN(erf), [](double x) { return std::erf(x); }, 1.5, kAny},
        Function{"sigmoid", &ops::sigmoid, STRATA_PLAIN(sigmoid), [](double x) { return 1 / (1 + std::exp(-x)); }, 2.5,
                 kAny},
        Function{"softplus", &ops::softplus, STRATA_PLAIN(softplus),
                 [](double x) { return std::fmax(x, 0) + std::log1p(std::exp(-std::fabs(x))) + 0 * x; }, 2.0,
                 std::numeric_limits<float>::max()},
        Function{"sin", &ops::sin, STRATA_PLAIN(sin), [](double x) { return std::sin(x); }, 2.0,
                 vector_math::kMaxAngle},
        Function{"cos", &ops::cos, STRATA_PLAIN(cos), [](double x) { return std::cos(x); }, 2.0,
                 vector_math::kMaxAngle}),
    [](const auto& test) { return std::string(test.param.name); });

TEST(Angles, BeyondTheRangeOfThePolynomialAreThoseOfTheStandardLibrary) {
  const std::vector<float> x{0x1p23f, 1e10f, -1e30f, 1.0f, std::numeric_limits<float>::infinity(), -2e7f};
  const std::vector<float> y = ops::sin(constant(x, {6})).to_vector<float>();
  for (std::size_t i : {0, 1, 2, 5}) EXPECT_LE(error_in_ulps(y[i], std::sin(static_cast<double>(x[i]))), 1.0) << x[i];
  EXPECT_LE(error_in_ulps(y[3], std::sin(1.0)), 2.0);
  EXPECT_TRUE(std::isnan(y[4]));
}

}  // namespace
}  // namespace strata
