// SPDX-License-Identifier: Apache-2.0
// Layers that change their inputs at random: how much, in what shape, by which numbers, and the same in the gradient.
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>

#include "core/base/error.h"
#include "core/model/session.h"
#include "core/program/autodiff.h"
#include "layers/layers.h"
#include "tests/support/expect_error.h"

namespace strata {
namespace {

using testing::expect_error;
using Floats = std::vector<float>;

class RandomLayers : public ::testing::Test {
  Session session_;
  SessionScope scope_{session_};
};

/// The layer in training for the samples of x from `first` on, in one step of one run.
Tensor trained(const LayerRef& layer, const Tensor& x, Dim first = 0, std::int64_t step = 3, std::int64_t seed = 1) {
  Trace trace{true, constant<std::int64_t>({seed, step, first}, {3}), {}, {}};
  CallContext context(trace, "model/noise#0", true);
  return layer.layer().run({x}, context)[0];
}

struct MeanAndVariance {
  double mean, variance;
};

MeanAndVariance moments_of(const Floats& values) {
  double mean = 0.0, variance = 0.0;
  for (const float v : values) mean += v;
  mean /= static_cast<double>(values.size());
  for (const float v : values) variance += (v - mean) * (v - mean);
  return {mean, variance / static_cast<double>(values.size())};
}

std::vector<LayerRef> all_layers() {
  return {layers::Dropout(0.4),
          layers::AlphaDropout(0.4),
          layers::GaussianDropout(0.4),
          layers::GaussianNoise(0.4),
          layers::SpatialDropout1D(0.4),
          layers::Dropout(0.4, {.noise_shape = {1, None, 1}}),
          layers::AlphaDropout(0.4, {.noise_shape = {None, 1, None}})};
}

TEST_F(RandomLayers, AreTheIdentityInInference) {
  const Tensor x = ops::full({3, 4, 5}, 2);
  for (const LayerRef& layer : all_layers()) {
    EXPECT_EQ(layer(x).to_vector<float>(), x.to_vector<float>()) << layer.name();
    EXPECT_NE(trained(layer, x).to_vector<float>(), x.to_vector<float>()) << layer.name();
  }
}

TEST_F(RandomLayers, DependOnTheGlobalSampleNotOnTheBlock) {
  const Tensor x = ops::full({6, 4, 5}, 2);
  for (const LayerRef& layer : all_layers()) {
    SCOPED_TRACE(layer.name());
    const Floats whole = trained(layer, x).to_vector<float>();
    Floats parts;
    for (const auto& [first, rows] : std::vector<std::pair<Dim, Dim>>{{0, 1}, {1, 3}, {4, 2}}) {
      const Floats part = trained(layer, ops::full({rows, 4, 5}, 2), first).to_vector<float>();
      parts.insert(parts.end(), part.begin(), part.end());
    }
    EXPECT_EQ(parts, whole);
    EXPECT_NE(trained(layer, x, 0, 4).to_vector<float>(), whole) << "every step draws anew";
    EXPECT_NE(trained(layer, x, 0, 3, 2).to_vector<float>(), whole) << "another seed";
  }
}

TEST_F(RandomLayers, TheirOwnSeedReplacesTheSessions) {
  const Tensor x = ops::ones({6, 4, 5});
  for (const LayerRef& layer :
       std::vector<LayerRef>{layers::GaussianNoise(0.4, {.seed = 5}), layers::GaussianDropout(0.4, {.seed = 5}),
                             layers::AlphaDropout(0.4, {.seed = 5}), layers::SpatialDropout1D(0.4, {.seed = 5})}) {
    const auto with = [&](std::int64_t seed) { return trained(layer, x, 0, 3, seed).to_vector<float>(); };
    EXPECT_EQ(with(1), with(2)) << layer.name();
  }
}

// All are affine in x, so the derivative must be what one more of x adds with the same numbers.
TEST_F(RandomLayers, TheGradientHasTheSameNoise) {
  const RandomKey key{constant<std::int64_t>({5, 0, 0}, {3}), 1};
  const Tensor x = ops::random_normal(key, {3, 4, 5}, 0.0, 1.0, Dtype::float64);
  for (const LayerRef& layer : std::vector<LayerRef>{layers::Dropout(0.4, {.dtype = Dtype::float64}),
                                                     layers::AlphaDropout(0.4, {.dtype = Dtype::float64}),
                                                     layers::GaussianDropout(0.4, {.dtype = Dtype::float64}),
                                                     layers::GaussianNoise(0.4, {.dtype = Dtype::float64}),
                                                     layers::SpatialDropout1D(0.4, {.dtype = Dtype::float64})}) {
    const Tensor y = trained(layer, x);
    const auto gradient = gradients({y}, {x})[0].values.to_vector<double>();
    const auto more = (trained(layer, x + 1.0) - y).to_vector<double>();
    for (std::size_t i = 0; i < more.size(); ++i) EXPECT_NEAR(gradient[i], more[i], 1e-12) << layer.name();
  }
}

TEST_F(RandomLayers, GaussianNoiseHasItsDeviation) {
  const auto [mean, variance] =
      moments_of(trained(layers::GaussianNoise(0.3), ops::full({200, 500}, 2)).to_vector<float>());
  EXPECT_NEAR(mean, 2.0, 5 * 0.3 / std::sqrt(1e5));
  EXPECT_NEAR(variance, 0.09, 5 * 0.09 * std::sqrt(2 / 1e5));
}

TEST_F(RandomLayers, GaussianDropoutHasTheDeviationOfDropout) {
  const auto [mean, variance] =
      moments_of(trained(layers::GaussianDropout(0.2), ops::full({200, 500}, 2)).to_vector<float>());
  EXPECT_NEAR(mean, 2.0, 5 * 1.0 / std::sqrt(1e5));
  EXPECT_NEAR(variance, 4 * 0.2 / 0.8, 5 * std::sqrt(2 / 1e5));
}

TEST_F(RandomLayers, AlphaDropoutKeepsMeanAndVariance) {
  const RandomKey key{constant<std::int64_t>({5, 0, 0}, {3}), 1};
  const Tensor x = ops::random_normal(key, {200, 500});
  for (const double rate : {0.1, 0.5}) {
    const Floats values = trained(layers::AlphaDropout(rate), x).to_vector<float>();
    const auto [mean, variance] = moments_of(values);
    EXPECT_NEAR(mean, 0.0, 0.02) << rate;
    EXPECT_NEAR(variance, 1.0, 0.03) << rate;
    const double limit = -1.6732632423543772 * 1.0507009873554805;
    const double a = std::pow((1 - rate) * (1 + rate * limit * limit), -0.5), b = -a * limit * rate;
    const auto dropped =
        std::count_if(values.begin(), values.end(), [&](float v) { return std::abs(v - (a * limit + b)) < 1e-6; });
    EXPECT_NEAR(static_cast<double>(dropped), 1e5 * rate, 5 * std::sqrt(1e5 * rate * (1 - rate)));
  }
}

TEST_F(RandomLayers, SpatialDropoutDropsWholeMaps) {
  const auto check = [](const LayerRef& layer, const Shape& shape, int channels) {
    SCOPED_TRACE(layer.name());
    const Tensor y = trained(layer, ops::ones(shape));
    std::vector<int> spatial;
    for (int axis = 1; axis < y.rank(); ++axis) {
      if (axis != channels) spatial.push_back(axis);
    }
    const Floats low = ops::min(y, spatial).to_vector<float>(), high = ops::max(y, spatial).to_vector<float>();
    EXPECT_EQ(low, high) << "a map is dropped as a whole";
    const auto dropped = static_cast<double>(std::count(low.begin(), low.end(), 0.f));
    const auto kept = static_cast<double>(std::count(low.begin(), low.end(), static_cast<float>(1 / 0.75)));
    const auto maps = static_cast<double>(low.size());
    EXPECT_EQ(dropped + kept, maps);
    EXPECT_NEAR(dropped, 0.25 * maps, 5 * std::sqrt(maps * 0.25 * 0.75));
  };
  using layers::SpatialDropout1D, layers::SpatialDropout2D, layers::SpatialDropout3D;
  check(SpatialDropout1D(0.25), {40, 3, 50}, 2);
  check(SpatialDropout2D(0.25), {40, 3, 2, 50}, 3);
  check(SpatialDropout2D(0.25, {.data_format = "channels_first"}), {40, 50, 3, 2}, 1);
  check(SpatialDropout3D(0.25), {40, 3, 2, 2, 50}, 4);
  check(SpatialDropout3D(0.25, {.data_format = "channels_first"}), {40, 50, 3, 2, 2}, 1);
}

TEST_F(RandomLayers, ANoiseShapeOfOneSampleIsSharedByAll) {
  const layers::Dropout dropout(0.5, {.noise_shape = {1, None}});
  const Floats values = trained(dropout, ops::ones({3, 32})).to_vector<float>();
  EXPECT_TRUE(std::equal(values.begin(), values.begin() + 32, values.begin() + 32));
  EXPECT_TRUE(std::equal(values.begin(), values.begin() + 32, values.begin() + 64));
  EXPECT_EQ(trained(dropout, ops::ones({3, 32}), 96).to_vector<float>(), values) << "also by those of other blocks";
}

TEST_F(RandomLayers, RefuseWithTheTextsOfKeras) {
  expect_error<ConfigError>([] { layers::AlphaDropout(-0.5); },
                            "Invalid value received for argument `rate`. Expected a float value between 0 and 1. "
                            "Received: rate=-0.5");
  expect_error<ConfigError>([] { layers::GaussianDropout(1.5); },
                            "Invalid value received for argument `rate`. Expected a float value between 0 and 1. "
                            "Received: rate=1.5");
  expect_error<ConfigError>([] { layers::GaussianNoise(2.0); },
                            "Invalid value received for argument `stddev`. Expected a float value between 0 and 1. "
                            "Received: stddev=2.0");
  expect_error<ConfigError>([] { layers::SpatialDropout1D(std::nan("")); },
                            "Invalid value received for argument `rate`. Expected a float value between 0 and 1. "
                            "Received: rate=NaN");
  expect_error<ConfigError>([] { layers::SpatialDropout2D(0.5, {.data_format = "channels_middle"}); },
                            "The `data_format` argument must be one of {'channels_first', 'channels_last'}. Received: "
                            "data_format=channels_middle");
  expect_error<ShapeError>(
      [] {
        layers::SpatialDropout2D(0.5, {.name = "s"})(Input({3, 4}));
      },
      "Input 0 of layer s is incompatible with the layer: expected ndim=4, found ndim=3. Full shape "
      "received: [None, 3, 4]");
  expect_error<ConfigError>(
      [] {
        layers::Dropout(0.5, {.noise_shape = {None, 0}});
      },
      "Invalid value received for argument `noise_shape`. Expected all dimensions to be positive integers or None. "
      "Received negative or zero value at index 1: 0");
  expect_error<ShapeError>(
      [] {
        trained(layers::AlphaDropout(0.5, {.noise_shape = {None, 3}, .name = "a"}), ops::ones({2, 2}));
      },
      "AlphaDropout a: noise_shape (2, 3) does not broadcast to the input's shape (2, 2)");
  expect_error<ConfigError>(
      [] {
        trained(layers::GaussianDropout(1.0, {.name = "g"}), ops::ones({2, 2}));
      },
      "GaussianDropout g: expected a rate below 1 in training, received rate=1.0");
  expect_error<ConfigError>(
      [] {
        trained(layers::AlphaDropout(1.0, {.name = "a"}), ops::ones({2, 2}));
      },
      "AlphaDropout a: expected a rate below 1 in training, received rate=1.0");
  EXPECT_THROW(layers::ActivityRegularization({.l1 = -1.0}), ConfigError);
}

}  // namespace
}  // namespace strata
