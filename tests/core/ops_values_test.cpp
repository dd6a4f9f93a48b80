// SPDX-License-Identifier: Apache-2.0
// What the harness of every_op_test does not see: documented special cases, and values worked out by hand.
#include <gtest/gtest.h>

#include <cmath>
#include <limits>

#include "core/ops/ops.h"
#include "core/program/autodiff.h"

namespace strata {
namespace {

constexpr float kNan = std::numeric_limits<float>::quiet_NaN();
constexpr float kInf = std::numeric_limits<float>::infinity();
using Floats = std::vector<float>;
using Ints = std::vector<std::int32_t>;
using Longs = std::vector<std::int64_t>;

Tensor vector(const Floats& values) { return constant(values, {static_cast<Dim>(values.size())}); }
Tensor vector(const Ints& values) { return constant(values, {static_cast<Dim>(values.size())}); }
Tensor vector(const Longs& values) { return constant(values, {static_cast<Dim>(values.size())}); }
Floats floats(const Tensor& t) { return t.to_vector<float>(); }

/// The gradient of the sum of y in x, dense.
Floats gradient(const Tensor& y, const Tensor& x) { return floats(dense(gradients({y}, {x})[0], x)); }

TEST(Divide, OfIntegersTruncatesAndNeverTraps) {
  constexpr auto smallest = std::numeric_limits<std::int32_t>::min();
  const Tensor a = vector(Ints{7, -7, 5, smallest, smallest});
  const Tensor b = vector(Ints{2, 2, 0, -1, 1});
  EXPECT_EQ((a / b).to_vector<std::int32_t>(), (Ints{3, -3, 0, smallest, smallest}));
}

TEST(Maximum, CarriesNanFromEitherSide) {
  const Floats values = floats(ops::maximum(vector(Floats{kNan, 1, 2}), vector(Floats{1, kNan, 3})));
  EXPECT_TRUE(std::isnan(values[0]));
  EXPECT_TRUE(std::isnan(values[1]));
  EXPECT_EQ(values[2], 3);
  EXPECT_TRUE(std::isnan(floats(ops::minimum(vector(Floats{kNan}), vector(Floats{1})))[0]));
}

TEST(Maximum, GivesTheGradientOfEqualOperandsToTheFirst) {
  const Tensor a = vector(Floats{1, 2, 3});
  const Tensor b = vector(Floats{1, 3, 2});
  EXPECT_EQ(gradient(ops::maximum(a, b), a), (Floats{1, 0, 1}));
  EXPECT_EQ(gradient(ops::maximum(a, b), b), (Floats{0, 1, 0}));
  EXPECT_EQ(gradient(ops::minimum(a, b), a), (Floats{1, 1, 0}));
}

TEST(Power, HasFiniteGradientsAtZero) {
  const Tensor a = vector(Floats{0, 0, 2});
  const Tensor b = vector(Floats{0, 2, 0});
  EXPECT_EQ(floats(ops::power(a, b)), (Floats{1, 0, 1}));
  EXPECT_EQ(gradient(ops::power(a, b), a), (Floats{0, 0, 0}));
  EXPECT_EQ(gradient(ops::power(a, b), b)[1], 0);
}

TEST(Rounding, GoesToTheNearestEven) {
  const Tensor x = vector(Floats{0.5f, 1.5f, 2.5f, -0.5f, -1.5f, 1.2f});
  EXPECT_EQ(floats(ops::round(x)), (Floats{0, 2, 2, 0, -2, 1}));
  EXPECT_EQ(floats(ops::floor(x)), (Floats{0, 1, 2, -1, -2, 1}));
  EXPECT_EQ(floats(ops::ceil(x)), (Floats{1, 2, 3, 0, -1, 2}));
  EXPECT_EQ(gradient(ops::round(x), x), Floats(6, 0.0f));
}

TEST(Sign, IsThatOfNumbersOnly) {
  const Floats values = floats(ops::sign(vector(Floats{-3, 0, 5, kNan, -kInf})));
  EXPECT_EQ(values[0], -1);
  EXPECT_EQ(values[1], 0);
  EXPECT_EQ(values[2], 1);
  EXPECT_TRUE(std::isnan(values[3]));
  EXPECT_EQ(values[4], -1);
}

TEST(IsFinite, TellsNumbersFromTheRest) {
  EXPECT_EQ(ops::is_finite(vector(Floats{1, kNan, kInf, -kInf, 3e38f})).to_vector<bool>(),
            (std::vector<bool>{true, false, false, false, true}));
}

TEST(Cast, ConvertsAsStaticCast) {
  EXPECT_EQ(ops::cast(vector(Floats{1.9f, -1.9f, 0.0f}), Dtype::int32).to_vector<std::int32_t>(), (Ints{1, -1, 0}));
  EXPECT_EQ(ops::cast(vector(Floats{0.1f, 0.0f, -2.0f, kNan}), Dtype::boolean).to_vector<bool>(),
            (std::vector<bool>{true, false, true, true}));
  EXPECT_EQ(floats(ops::cast(vector(Ints{256, -1}), Dtype::float32)), (Floats{256, -1}));
}

TEST(Cast, HasAGradientBetweenFloatingDtypes) {
  const Tensor x = vector(Floats{1, 2});
  const Tensor wide = ops::cast(x, Dtype::float64) * 3.0;
  const Gradient g = gradients({wide}, {x})[0];
  EXPECT_EQ(g.values.dtype(), Dtype::float32);
  EXPECT_EQ(floats(g.values), (Floats{3, 3}));
  EXPECT_FALSE(gradients({ops::cast(ops::cast(x, Dtype::int32), Dtype::float32)}, {x})[0]);
}

TEST(StopGradient, LetsValuesThroughOnly) {
  const Tensor x = vector(Floats{2, 3});
  EXPECT_EQ(floats(ops::stop_gradient(x)), (Floats{2, 3}));
  EXPECT_EQ(gradient(x * ops::stop_gradient(x), x), (Floats{2, 3}));
}

TEST(Sum, RoundsWithTheLogarithmOfTheLength) {
  const Tensor x = ops::full({1000003, 1}, 0.1);
  constexpr double exact = 1000003 * static_cast<double>(0.1f);
  EXPECT_NEAR(ops::sum(x).item<float>(), exact, 0.5);  // adding one by one is off by 900
  EXPECT_NEAR(floats(ops::sum(ops::broadcast_to(x, {1000003, 2}), {0}))[1], exact, 0.5);
}

TEST(Reductions, OfNothingAreThatOfNoElement) {
  const Tensor none = constant(Floats{}, {2, 0});
  EXPECT_EQ(floats(ops::sum(none, {1})), (Floats{0, 0}));
  EXPECT_EQ(floats(ops::max(none, {1})), (Floats{-kInf, -kInf}));
  EXPECT_TRUE(std::isnan(floats(ops::mean(none, {1}))[0]));
  EXPECT_EQ(ops::sum(none, {0}).shape(), (Shape{0}));
  EXPECT_TRUE(floats(ops::sum(none, {0})).empty());
}

TEST(Max, FindsNanAtAnyPlaceOfALongRow) {
  for (std::size_t at : {0, 5, 17, 39, 2999}) {
    Floats values(3000, 1.0f);
    values[at] = kNan;
    EXPECT_TRUE(std::isnan(ops::max(vector(values)).item<float>())) << at;
    EXPECT_TRUE(std::isnan(ops::min(vector(values)).item<float>())) << at;
  }
}

TEST(Max, SharesItsGradientAmongEqualMaxima) {
  const Tensor x = constant({1.0f, 3.0f, 3.0f, 2.0f, 2.0f, 2.0f}, {2, 3});
  const Gradient g = gradients({ops::max(x, {1})}, {x}, {vector(Floats{1, 3})})[0];
  EXPECT_EQ(floats(g.values), (Floats{0, 0.5f, 0.5f, 1, 1, 1}));
}

TEST(Argmax, TakesTheFirstOfEqualsAndNanBeforeAll) {
  EXPECT_EQ(ops::argmax(constant({1.0f, 3.0f, 3.0f, 5.0f, kNan, 7.0f}, {2, 3})).to_vector<std::int64_t>(),
            (Longs{1, 1}));
}

TEST(Reshape, KeepsUnknownSizesWhileTheyAreUnknown) {
  const Tensor x = placeholder({{None, 28, 28}, Dtype::float32});
  EXPECT_EQ(ops::reshape(x, {None, 784}).shape(), (Shape{None, 784}));
  EXPECT_EQ(ops::expand_dims(placeholder({{None, None}, Dtype::float32}), 1).shape(), (Shape{None, 1, None}));
  EXPECT_EQ(ops::zeros_like(x).shape(), x.shape());
  EXPECT_TRUE(ops::ones_like(x).is_symbolic());
}

TEST(Composites, AreWhatTheyAreMadeOf) {
  const Tensor a = vector(Floats{1, 2});
  const Tensor b = vector(Floats{3, 4});
  EXPECT_EQ(floats(ops::stack({a, b}, 1)), (Floats{1, 3, 2, 4}));
  EXPECT_EQ(ops::stack({a, b}, -1).shape(), (Shape{2, 2}));
  EXPECT_EQ(ops::squeeze(constant({1.0f, 2.0f}, {1, 2, 1}), {-1}).shape(), (Shape{1, 2}));
  EXPECT_EQ(ops::squeeze(constant({1.0f, 2.0f}, {1, 2, 1})).shape(), (Shape{2}));
  EXPECT_EQ(floats(ops::one_hot(vector(Ints{2, 0, 5}), 3)), (Floats{0, 0, 1, 1, 0, 0, 0, 0, 0}));
  EXPECT_EQ(ops::full({2}, 7, Dtype::int64).to_vector<std::int64_t>(), (Longs{7, 7}));
  EXPECT_EQ(floats(ops::ones_like(a)), (Floats{1, 1}));
}

TEST(OneHot, OfUint8TakesDepthsThatAByteCannotHold) {
  const Tensor ids = constant({std::uint8_t{3}}, {1});
  EXPECT_EQ(ops::sum(ops::one_hot(ids, 300)).item<float>(), 1.0f);
}

TEST(Slice, TakesEveryNthElement) {
  const Tensor x = ops::iota({3, 4}, 1, Dtype::float32);
  EXPECT_EQ(floats(ops::slice(x, {1, 1}, {None, None}, {1, 2})), (Floats{1, 3, 1, 3}));
  EXPECT_EQ(gradient(ops::slice(x, {1, 1}, {None, 2}, {1, 3}), x), (Floats{0, 0, 0, 0, 0, 1, 0, 0, 0, 1, 0, 0}));
}

TEST(Gather, GivesNanForIdsOutOfRangeAndSkipsThemInItsGradient) {
  const Tensor x = constant({1.0f, 2.0f, 3.0f, 4.0f}, {2, 2});
  const Tensor ids = vector(Longs{1, 2, 0, -1, 1});
  const Floats rows = floats(ops::gather(x, ids));
  EXPECT_EQ((Floats{rows[0], rows[1], rows[4], rows[5]}), (Floats{3, 4, 1, 2}));
  for (std::size_t i : {2, 3, 6, 7}) EXPECT_TRUE(std::isnan(rows[i]));
  EXPECT_EQ(ops::gather(vector(Ints{5, 6}), vector(Longs{9, 1})).to_vector<std::int32_t>(), (Ints{0, 6}));

  const Gradient g = gradients({ops::gather(x, ids)}, {x})[0];
  ASSERT_TRUE(g.is_rows());
  EXPECT_EQ(g.ids.to_vector<std::int64_t>(), (Longs{1, 2, 0, -1, 1}));
  EXPECT_EQ(g.values.shape(), (Shape{5, 2}));
  EXPECT_EQ(floats(dense(g, x)), (Floats{1, 1, 2, 2}));
}

TEST(Softmax, IsStableForLargeLogitsAndCarriesNan) {
  const Tensor x = constant({1000.0f, 1000.0f, -1000.0f, 0.0f, kNan, 1.0f}, {2, 3});
  const Floats values = floats(ops::softmax(x));
  EXPECT_EQ((Floats{values[0], values[1], values[2]}), (Floats{0.5f, 0.5f, 0}));
  for (std::size_t i : {3, 4, 5}) EXPECT_TRUE(std::isnan(values[i]));
  EXPECT_NEAR(floats(ops::log_softmax(x))[2], -2000.6931, 1e-3);
}

TEST(SparseSoftmaxCrossEntropy, GivesNanForLabelsOutOfRange) {
  const Tensor logits = constant({1.0f, 2.0f, 3.0f, 1.0f, 2.0f, 3.0f, 1.0f, 2.0f, 3.0f}, {3, 3});
  const Floats values = floats(ops::sparse_softmax_cross_entropy(logits, vector(Longs{0, 3, -1})));
  EXPECT_NEAR(values[0], 2.407606, 1e-6);
  EXPECT_TRUE(std::isnan(values[1]));
  EXPECT_TRUE(std::isnan(values[2]));
}

}  // namespace
}  // namespace strata
