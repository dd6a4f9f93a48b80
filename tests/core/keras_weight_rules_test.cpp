// SPDX-License-Identifier: Apache-2.0
// Initializers, regularizers and constraints against real Keras: every name, configs, values and gradients.
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>

#include "core/base/error.h"
#include "core/model/constraint.h"
#include "core/model/initializers.h"
#include "core/model/regularizer.h"
#include "core/program/autodiff.h"
#include "tests/support/expect_error.h"
#include "tests/support/golden_values.h"

namespace strata {
namespace {

using nlohmann::json;
using testing::expect_error;
using testing::golden_tensor;
using testing::keras_config;

const json& golden() {
  static const json all = testing::read_golden("weight_rules.json");
  return all;
}

template <class Rule>
Rule read(const json& config) {
  return Rule::from_config(Config::from_json(config.dump()));
}

/// A rule's config without the gain, which Keras forgets to write of an identity.
json comparable(const json& config) {
  json result = keras_config(config);
  if (result.at("class_name") == "Identity") result["config"].erase("gain");
  return result;
}

template <class Rule>
void expect_config(const Rule& rule, const json& expected) {
  EXPECT_EQ(comparable(json::parse(rule.config().to_json())), comparable(expected));
}

template <class Rule>
void expect_names(const char* kind, std::size_t least) {
  const json& names = golden().at(kind);
  EXPECT_GE(names.size(), least);
  for (const auto& [name, config] : names.items()) {
    SCOPED_TRACE(name);
    expect_config(Rule(name), config);
    expect_config(read<Rule>(config), config);
  }
}

TEST(KerasWeightRules, EveryNameOfKerasStandsForTheSame) {
  expect_names<Initializer>("initializer_names", 38);
  expect_names<Regularizer>("regularizer_names", 8);
  expect_names<Constraint>("constraint_names", 8);
}

std::vector<double> drawn(const Initializer& initializer, const Shape& shape, std::size_t count) {
  std::vector<double> values;
  for (std::uint64_t stream = 0; values.size() < count; ++stream) {
    const RandomKey key{constant<std::int64_t>({3, 0, 0}, {3}), stream * 1000};
    for (const float value : initializer(shape, Dtype::float32, key).to_vector<float>()) values.push_back(value);
  }
  return values;
}

bool is_bounded(const json& rule) {
  const std::string class_name = rule.at("class_name"), distribution = rule.at("config").value("distribution", "");
  return distribution == "uniform" || distribution == "truncated_normal" || class_name.ends_with("Uniform") ||
         class_name == "TruncatedNormal";
}

TEST(KerasWeightRules, RandomInitializersHaveTheScaleAndLimitsOfKeras) {
  ASSERT_GE(golden().at("drawn").size(), 30u);
  for (const json& c : golden().at("drawn")) {
    SCOPED_TRACE(c.at("config").dump() + c.at("shape").dump());
    const auto initializer = read<Initializer>(c.at("config"));
    expect_config(initializer, c.at("config"));
    const auto values =
        drawn(initializer, Shape(c.at("shape").get<std::vector<Dim>>()), c.at("count").get<std::size_t>());
    const double n = static_cast<double>(values.size()), deviation = c.at("std");
    double mean = 0.0, squares = 0.0;
    for (const double value : values) mean += value / n;
    for (const double value : values) squares += (value - mean) * (value - mean) / n;
    // Both sides are samples: six standard errors.
    EXPECT_NEAR(mean, c.at("mean").get<double>(), 6 * std::sqrt(2 / n) * deviation);
    EXPECT_NEAR(std::sqrt(squares), deviation, 6 / std::sqrt(n) * deviation);
    if (!is_bounded(c.at("config"))) continue;
    const auto [low, high] = std::minmax_element(values.begin(), values.end());
    EXPECT_NEAR(*low, c.at("min").get<double>(), 2e-3 * deviation);
    EXPECT_NEAR(*high, c.at("max").get<double>(), 2e-3 * deviation);
  }
}

TEST(KerasWeightRules, FixedInitializersGiveTheValuesOfKeras) {
  ASSERT_GE(golden().at("fixed").size(), 30u);
  for (const json& c : golden().at("fixed")) {
    SCOPED_TRACE(c.at("config").dump());
    const auto initializer = read<Initializer>(c.at("config"));
    EXPECT_EQ(keras_config(json::parse(initializer.config().to_json())), keras_config(c.at("config")));
    const Tensor expected = golden_tensor(c.at("value"));
    const RandomKey key{constant<std::int64_t>({3, 0, 0}, {3}), 0};
    // Keras takes the sines and cosines of angles in float32.
    testing::expect_close(initializer(expected.shape(), Dtype::float32, key), expected, 1e-6, 1e-6);
  }
}

template <class Rule>
void expect_values(const char* kind, std::size_t least) {
  ASSERT_GE(golden().at(kind).size(), least);
  for (const json& c : golden().at(kind)) {
    SCOPED_TRACE(c.at("config").dump());
    const auto rule = read<Rule>(c.at("config"));
    expect_config(rule, c.at("config"));
    const Tensor weight = golden_tensor(c.at("weight")), value = rule(weight);
    testing::expect_close(value, golden_tensor(c.at("value")), 1e-5, 1e-7);
    const auto gradient = gradients({ops::sum(ops::square(value))}, {weight}, {scalar(1)});
    testing::expect_close(dense(gradient[0], weight), golden_tensor(c.at("gradient")), 1e-4, 1e-5);
  }
}

TEST(KerasWeightRules, RegularizersGiveThePenaltiesOfKeras) { expect_values<Regularizer>("regularizers", 20); }
TEST(KerasWeightRules, ConstraintsMoveWeightsWhereKerasDoes) { expect_values<Constraint>("constraints", 15); }

TEST(KerasWeightRules, TheNamedFunctionOfTfKeras2HasItsOwnDefaults) {
  EXPECT_EQ(Regularizer("l1_l2").config().to_json(), R"({"class_name": "L1L2", "config": {"l1": 0.01, "l2": 0.01}})");
}

TEST(KerasWeightRules, RefuseWithTheTextsOfKeras) {
  const auto draw = [](const Initializer& initializer, const Shape& shape) {
    return initializer(shape, Dtype::float32, {constant<std::int64_t>({3, 0, 0}, {3}), 0});
  };
  using namespace initializers;
  expect_error<ConfigError>([] { VarianceScaling(0.0); },
                            "Argument `scale` must be positive float. Received: scale=0.0");
  expect_error<ConfigError>([] { STFT("left"); }, "side should be 'real' or 'imag', not left");
  expect_error<ConfigError>(
      [] { STFT("real", "hann", "loudness"); },
      "Scaling is invalid, it must be `None`, 'density' or 'spectrum'. Received scaling=loudness");
  expect_error<ConfigError>(
      [] { STFT("real", "kaiser"); },
      "STFT: expected a window that is one of blackman, blackmanharris, boxcar, flattop, hamming, "
      "hann, nuttall, a list of numbers or None, received kaiser");
  expect_error<ShapeError>(
      [&] {
        draw(STFT("real", Config::List{1.0, 2.0}), {3, 1, 4});
      },
      "The shape of `window` must be equal to [frame_length]. Received: window shape=(2,), "
      "frame_length=3");
  expect_error<ShapeError>(
      [&] {
        draw(STFT(), {3, 4});
      },
      "STFT: expected a weight of shape (time, 1, frequencies) with at least 2 frequencies, received "
      "(3, 4)");
  expect_error<ShapeError>(
      [&] { draw(Identity(), {2}); },
      "Identity matrix initializer can only be used for 2D matrices. Received: shape=(2,) of rank 1.");
  expect_error<ShapeError>(
      [&] { draw(Orthogonal(), {2}); },
      "The tensor to initialize must be at least two-dimensional. Received: shape=(2,) of rank 1.");
  expect_error<ShapeError>(
      [&] {
        draw(HeNormal({}, {.input = {2}, .output = {0}}), {2, 3});
      },
      "VarianceScaling: axis must be in [-2, 2) for a tensor of rank 2, received 2");
  expect_error<ConfigError>([] { regularizers::OrthogonalRegularizer(0.1, "diagonal"); },
                            "Invalid value for argument `mode`. Expected one of {\"rows\", \"columns\"}. Received: "
                            "mode=diagonal");
  expect_error<ShapeError>([] { regularizers::OrthogonalRegularizer()(ops::ones({2})); },
                           "Inputs to OrthogonalRegularizer must have rank 2. Received: inputs.shape=(2,)");
}

}  // namespace
}  // namespace strata
