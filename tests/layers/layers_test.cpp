// SPDX-License-Identifier: Apache-2.0
// What is special to single layers: values, options, errors with their texts.
#include "layers/layers.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>

#include "core/base/error.h"
#include "core/model/functional.h"
#include "core/model/session.h"
#include "layers/activations.h"
#include "layers/registry.h"
#include "tests/support/expect_error.h"

namespace strata {
namespace {

using testing::expect_error;
using Floats = std::vector<float>;

class LayersTest : public ::testing::Test {
  Session session_;
  SessionScope scope_{session_};
};

TEST_F(LayersTest, DenseIsAnAffineMap) {
  const layers::Dense dense(2, {.activation = "relu"});
  dense(Input({3}));
  dense.weights()[0].assign(constant({1.f, -1.f, 2.f, -2.f, 3.f, -3.f}, {3, 2}));
  dense.weights()[1].assign(constant({0.5f, 20.f}, {2}));
  EXPECT_EQ(dense(constant({1.f, 1.f, 1.f}, {1, 3})).to_vector<float>(), (Floats{6.5, 14}));
  EXPECT_EQ(dense(constant<std::int32_t>({1, 1, 1}, {1, 3})).to_vector<float>(), (Floats{6.5, 14}));
  EXPECT_EQ(dense(ops::ones({2, 2, 3})).shape(), (Shape{2, 2, 2}));
  EXPECT_EQ(dense.weights()[0].path(), "dense/kernel");
  EXPECT_EQ(dense.weights()[1].path(), "dense/bias");
}

TEST_F(LayersTest, DenseRefusesWhatItCannotTake) {
  expect_error<ShapeError>(
      [] { layers::Dense(2)(ops::ones({3})); },
      "Input 0 of layer dense is incompatible with the layer: : expected min_ndim=2, found ndim=1. "
      "Full shape received: [3]");
  expect_error<ShapeError>([] { layers::Dense(2)(Input({None})); },
                           "The last dimension of the inputs to `Dense` should be defined. Found `None`. Full input "
                           "shape received: (None, None) (layer: dense_1)");
  expect_error<DtypeError>([] { layers::Dense(2, {.dtype = Dtype::int32}); },
                           "Unable to build `Dense` layer with non-floating point dtype <dtype: 'int32'>");
  expect_error<ConfigError>([] { layers::Dense(0); },
                            "Received an invalid value for `units`, expected a positive integer. Received: units=0");
  testing::expect_error_with<ConfigError>([] { layers::Dense(2, {.activation = "relux"}); },
                                          "Unknown activation function:relux. Expected one of: [");
  const layers::Dense dense(2, {.name = "d"});
  dense(Input({784}));
  expect_error<ShapeError>([&] { dense(Input({100})); },
                           "Input 0 of layer d is incompatible with the layer: expected axis -1 of input shape to have "
                           "value 784 but received input with shape [None, 100]");
}

TEST_F(LayersTest, AnArgumentOfAnotherLayerIsRefusedNotIgnored) {
  Config config = layers::Dense(2, {.name = "d"}).get_config();
  config.set("depthwise_regularizer", Config::object({{"class_name", "L2"}}));
  expect_error<ConfigError>(
      [&] { deserialize_layer("Dense", config); },
      "Unrecognized keyword arguments passed to Dense: {'depthwise_regularizer': {\"class_name\": "
      "\"L2\"}}");
}

TEST_F(LayersTest, ConfigsOfOtherVersionsAreRead) {
  const LayerRef dense = deserialize_layer(
      "Dense", Config::from_json(R"({"units": 3, "activation": null, "batch_input_shape": [null, 4], "lora_rank": null,
               "dtype": {"class_name": "DTypePolicy", "config": {"name": "float64"}}})"));
  EXPECT_EQ(dense.layer().dtype(), Dtype::float64);
  EXPECT_EQ(dense.get_config().at("activation").as_string(), "linear");
  EXPECT_THROW(deserialize_layer("Dense", Config::object()), ConfigError);
}

TEST_F(LayersTest, ActivationsOfLargeNumbersStayFinite) {
  for (const std::string& name : Activation::names()) {
    if (name == "exponential") continue;
    const auto values = Activation(name)(constant({-1e4f, 1e4f}, {1, 2})).to_vector<float>();
    for (const float value : values) EXPECT_TRUE(std::isfinite(value)) << name;
  }
}

TEST_F(LayersTest, ActivationsMayBeOnesOwn) {
  const layers::Activation twice(Activation("twice", [](const Tensor& x) { return x * 2.0; }));
  EXPECT_EQ(twice(constant({3.f}, {1, 1})).to_vector<float>(), (Floats{6}));
  EXPECT_EQ(twice.get_config().at("activation").to_json(), R"({"class_name": "function", "config": "twice"})");
  expect_error<ShapeError>([] { layers::Activation("softmax")(ops::ones({3})); },
                           "Cannot apply softmax to a tensor that is 1D");
}

TEST_F(LayersTest, FlattenAndReshapeKeepTheBatch) {
  EXPECT_EQ(layers::Flatten()(Input({28, 28, 3})).shape(), (Shape{None, 2352}));
  EXPECT_EQ(layers::Flatten()(Input({None, 3})).shape(), (Shape{None, None}));
  EXPECT_EQ(layers::Flatten()(ops::ones({2, 5, 3})).shape(), (Shape{2, 15}));
  EXPECT_EQ(layers::Reshape({-1, 2})(Input({4, 3})).shape(), (Shape{None, 6, 2}));
  EXPECT_EQ(layers::Reshape({-1, 2})(Input({None, 3})).shape(), (Shape{None, None, 2}));
  EXPECT_EQ(layers::Reshape({4})(Input({.batch_shape = {8, None, 2}})).shape(), (Shape{8, 4}));
  EXPECT_EQ(layers::Reshape({2, 3})(constant({1.f, 2.f, 3.f, 4.f, 5.f, 6.f}, {1, 6})).to_vector<float>(),
            (Floats{1, 2, 3, 4, 5, 6}));
  expect_error<ShapeError>(
      [] {
        layers::Reshape({5, -1})(Input({12}));
      },
      "total size of new array must be unchanged: expected 12 elements a sample for an input of shape "
      "(None, 12), received target shape (5, None)");
  expect_error<ShapeError>(
      [] {
        layers::Reshape({3, 3})(Input({12}));
      },
      "total size of new array must be unchanged: expected 12 elements a sample for an input of shape "
      "(None, 12), received target shape (3, 3)");
  expect_error<ConfigError>(
      [] {
        layers::Reshape({-1, -1});
      },
      "Can only specify one unknown dimension. Received target_shape=(None, None)");
}

TEST_F(LayersTest, FlattenInAModelWithUnknownDimensions) {
  const Tensor input = Input({None, 2});
  const LayerRef model(std::make_shared<Functional>(std::vector{input}, std::vector{layers::Flatten()(input)}));
  EXPECT_EQ(model(ops::ones({3, 5, 2})).shape(), (Shape{3, 10}));
  EXPECT_EQ(model(ops::ones({1, 4, 2})).to_vector<float>(), Floats(8, 1.f));
}

TEST_F(LayersTest, DropoutDropsAndScalesInTrainingOnly) {
  const layers::Dropout dropout(0.25);
  const Tensor x = ops::ones({100, 100});
  EXPECT_EQ(dropout(x).to_vector<float>(), x.to_vector<float>());
  const auto values = dropout(x, {.training = true}).to_vector<float>();
  const auto dropped = std::count(values.begin(), values.end(), 0.f);
  const auto kept = std::count(values.begin(), values.end(), static_cast<float>(1 / 0.75));
  EXPECT_EQ(dropped + kept, 10000);
  EXPECT_NEAR(static_cast<double>(dropped), 2500, 5 * std::sqrt(10000 * 0.25 * 0.75));
  EXPECT_NE(dropout(x, {.training = true}).to_vector<float>(), values) << "every call draws anew";
  EXPECT_EQ(layers::Dropout(1.0)(x, {.training = true}).to_vector<float>(), Floats(10000, 0.f));
  EXPECT_EQ(layers::Dropout(0.0)(x, {.training = true}).to_vector<float>(), Floats(10000, 1.f));
}

/// Dropout in training for samples [first, first + rows) of one step.
Floats dropped(const LayerRef& dropout, Dim first, Dim rows, std::int64_t step, std::uint64_t seed = 1) {
  Trace trace{true, constant<std::int64_t>({static_cast<std::int64_t>(seed), step, first}, {3}), {}, {}};
  CallContext context(trace, "model/dropout#0", true);
  return dropout.layer().run({ops::ones({rows, 8})}, context)[0].to_vector<float>();
}

TEST_F(LayersTest, DropoutDependsOnTheGlobalSampleNotOnTheBlock) {
  const layers::Dropout dropout(0.5);
  const Floats whole = dropped(dropout, 0, 6, 3);
  Floats parts = dropped(dropout, 0, 2, 3);
  const Floats rest = dropped(dropout, 2, 4, 3);
  parts.insert(parts.end(), rest.begin(), rest.end());
  EXPECT_EQ(parts, whole);
  EXPECT_NE(dropped(dropout, 0, 6, 4), whole);
  EXPECT_NE(dropped(dropout, 0, 6, 3, 2), whole);
  const layers::Dropout seeded(0.5, {.seed = 5});
  EXPECT_EQ(dropped(seeded, 0, 6, 3, 1), dropped(seeded, 0, 6, 3, 2)) << "its own seed replaces the session's";
  EXPECT_NE(dropped(seeded, 0, 6, 3), dropped(seeded, 0, 6, 4));
}

TEST_F(LayersTest, DropoutSharesANoiseShape) {
  const layers::Dropout dropout(0.5, {.noise_shape = {None, 1}});
  const auto values = dropout(ops::ones({64, 8}), {.training = true}).to_vector<float>();
  for (std::size_t row = 0; row < 64; ++row) {
    EXPECT_EQ(std::count(values.begin() + static_cast<long>(row) * 8, values.begin() + static_cast<long>(row) * 8 + 8,
                         values[row * 8]),
              8);
  }
  EXPECT_GT(std::count(values.begin(), values.end(), 0.f), 0);
  EXPECT_GT(std::count(values.begin(), values.end(), 2.f), 0);
  expect_error<ShapeError>(
      [&] {
        dropout(ops::ones({2, 2, 2}), {.training = true});
      },
      "Dropout dropout: expected a noise_shape of rank 3 for an input of shape (2, 2, 2), received "
      "(None, 1)");
  expect_error<ShapeError>(
      [] {
        layers::Dropout(0.5, {.noise_shape = {None, 3}})(ops::ones({2, 2}), {.training = true});
      },
      "Dropout dropout_1: noise_shape (2, 3) does not broadcast to the input's shape (2, 2)");
  expect_error<ConfigError>(
      [] { layers::Dropout(1.5); },
      "Invalid value received for argument `rate`. Expected a float value between 0 and 1. Received: "
      "rate=1.5");
}

TEST_F(LayersTest, MergesValues) {
  const Tensor a = constant({1.f, 2.f, 3.f, 4.f}, {2, 2}), b = constant({10.f, 20.f}, {2, 1});
  EXPECT_EQ(layers::add({a, b}).to_vector<float>(), (Floats{11, 12, 23, 24}));
  EXPECT_EQ(layers::average({a, a, b}).to_vector<float>(), (Floats{4, 14.f / 3, 26.f / 3, 28.f / 3}));
  EXPECT_EQ(layers::concatenate({a, b}).to_vector<float>(), (Floats{1, 2, 10, 3, 4, 20}));
  EXPECT_EQ(layers::add({Input({9, 9, 64}), Input({64})}).shape(), (Shape{None, 9, 9, 64}));
  EXPECT_EQ(layers::concatenate({Input({10, 3}), Input({None, 3})}, 1).shape(), (Shape{None, None, 3}));
}

TEST_F(LayersTest, TheFunctionFormsOfMergesCallTheirLayers) {
  const Tensor a = constant({1.f, 2.f, 3.f, 4.f}, {2, 2}), b = constant({3.f, 1.f, -2.f, 5.f}, {2, 2});
  EXPECT_EQ(layers::subtract({a, b}).to_vector<float>(), (Floats{-2, 1, 5, -1}));
  EXPECT_EQ(layers::multiply({a, b, a}).to_vector<float>(), (Floats{3, 4, -18, 80}));
  EXPECT_EQ(layers::maximum({a, b}).to_vector<float>(), (Floats{3, 2, 3, 5}));
  EXPECT_EQ(layers::minimum({a, b}).to_vector<float>(), (Floats{1, 1, -2, 4}));
  EXPECT_EQ(layers::dot({a, b}).to_vector<float>(), (Floats{5, 14}));
  EXPECT_EQ(layers::add({a}).to_vector<float>(), a.to_vector<float>()) << "one input is enough";
  EXPECT_EQ(layers::dot({Input({None, 4}), Input({5, 4})}, {2, 2}).shape(), (Shape{None, None, 5}));
}

TEST_F(LayersTest, MergesNeedAnInput) {
  expect_error<ConfigError>([] { layers::multiply({}); }, "Layer multiply expects inputs, but it received none.");
  expect_error<ConfigError>([] { layers::concatenate({}); }, "Layer concatenate expects inputs, but it received none.");
}

}  // namespace
}  // namespace strata
