// SPDX-License-Identifier: Apache-2.0
// What is special to layers that normalise and to those that prepare inputs: numbers, errors with their texts.
#include <gtest/gtest.h>

#include <cmath>

#include "core/base/error.h"
#include "core/model/functional.h"
#include "core/model/session.h"
#include "layers/layers.h"
#include "layers/registry.h"
#include "tests/support/expect_error.h"
#include "tests/support/golden_values.h"

namespace strata {
namespace {

using testing::expect_close;
using testing::expect_error;
using Floats = std::vector<float>;

class NormalizationLayers : public ::testing::Test {
  Session session_;
  SessionScope scope_{session_};
};

/// Numbers with standard deviation 1 around `mean`: multiples of 1/16, whose sums and means over up to 64 are exact in
/// float32, so that what is lost is lost by the layers.
Tensor around(double mean, const Shape& shape) {
  const RandomKey key{constant<std::int64_t>({5, 0, 0}, {3}), 1};
  const Tensor grid = ops::round(ops::random_normal(key, shape, 0.0, 1.0, Dtype::float64) * 16.0) / 16.0;
  return ops::cast(grid + mean, Dtype::float32);
}

// Keras' own form, x times a factor less mean times the factor, is off by 1e-3 here.
TEST_F(NormalizationLayers, AreExactFarFromZero) {
  const auto make = [](const std::string& name, Dtype dtype) -> LayerRef {
    if (name == "batch") return layers::BatchNormalization({.dtype = dtype});
    if (name == "layer") return layers::LayerNormalization({.dtype = dtype});
    return layers::GroupNormalization({.groups = 2, .dtype = dtype});
  };
  const Tensor x = around(10000, {64, 8});
  for (const char* name : {"batch", "layer", "group"}) {
    SCOPED_TRACE(name);
    const Tensor single = make(name, Dtype::float32)(x, {.training = true});
    const Tensor exact = make(name, Dtype::float64)(ops::cast(x, Dtype::float64), {.training = true});
    expect_close(ops::cast(single, Dtype::float64), exact, 1e-5, 1e-5);
  }
}

TEST_F(NormalizationLayers, BatchStatisticsMoveInTrainingOnly) {
  const layers::BatchNormalization batch({.momentum = 0.75});
  const Tensor x = constant({1.f, 3.f, 5.f, 7.f}, {2, 2});
  const auto moved = [&](bool training) {
    Trace trace{training, constant<std::int64_t>({7, 1, 0}, {3}), {}, {}};
    CallContext context(trace, "batch", training);
    batch.layer().run({x}, context);
    return trace.updates;
  };
  EXPECT_TRUE(moved(false).empty());
  const auto updates = moved(true);
  ASSERT_EQ(updates.size(), 2u);
  EXPECT_EQ(updates[0].variable.path(), "batch_normalization/moving_mean");
  EXPECT_EQ(updates[0].value.to_vector<float>(), (Floats{0.75, 1.25}));
  EXPECT_EQ(updates[1].value.to_vector<float>(), (Floats{1.75, 1.75})) << "the biased variance, which is 4";
  batch.set_trainable(false);
  EXPECT_TRUE(moved(true).empty()) << "a frozen layer is in inference mode";
}

TEST_F(NormalizationLayers, ALayerCalledTwiceMovesItsStatisticsTwice) {
  const layers::BatchNormalization batch({.momentum = 0.5});
  batch(Input({1}));
  Trace trace{true, constant<std::int64_t>({7, 1, 0}, {3}), {}, {}};
  CallContext context(trace, "batch", true);
  batch.layer().run({constant({4.f, 8.f}, {2, 1})}, context);
  batch.layer().run({constant({1.f, 3.f}, {2, 1})}, context);
  ASSERT_EQ(trace.updates.size(), 2u);
  EXPECT_EQ(trace.updates[0].value.item<float>(), (0 * 0.5f + 6 * 0.5f) * 0.5f + 2 * 0.5f);
}

TEST_F(NormalizationLayers, BatchNormalizationRefusesWhatItCannotTake) {
  using layers::BatchNormalization;
  expect_error<ShapeError>(
      [] {
        BatchNormalization({.axis = 3})(Input({4, 5}));
      },
      "Axis 3 is out of bounds for input shape (None, 4, 5). Received: axis=3");
  expect_error<ShapeError>(
      [] {
        BatchNormalization({.axis = -4})(Input({4, 5}));
      },
      "Axis -4 is out of bounds for input shape (None, 4, 5). Received: axis=-4");
  expect_error<ShapeError>(
      [] {
        BatchNormalization({.name = "b"})(Input({4, None}));
      },
      "Weight 'b/gamma': expected a known shape, received (None,)");
  const BatchNormalization batch({.name = "batch"});
  batch(Input({4, 5}));
  expect_error<ShapeError>(
      [&] {
        batch(Input({4, 6}));
      },
      "Input 0 of layer batch is incompatible with the layer: expected axis -1 of input shape to "
      "have value 5 but received input with shape [None, 4, 6]");
  expect_error<ShapeError>([&] { batch(Input({5})); },
                           "Input 0 of layer batch is incompatible with the layer: expected ndim=3, found ndim=2. Full "
                           "shape received: [None, 5]");
  expect_error<ShapeError>(
      [&] {
        batch(ops::ones({2, 4, 5}), {.mask = {ops::cast(ops::ones({2}), Dtype::boolean)}});
      },
      "The mask provided should be one dimension less than the inputs. Received: mask.shape=(2,), inputs.shape=(2, 4, "
      "5)");
}

TEST_F(NormalizationLayers, RenormRefusesClippingThatContradictsItself) {
  using layers::BatchNormalization;
  expect_error<ConfigError>(
      [] { BatchNormalization({.renorm = true, .renorm_clipping = {.rmax = 0.5, .rmin = 2.0}}); },
      "rmax should be greater than rmin in the `renorm_clipping` argument. Received: rmax=0.5, rmin=2.0.");
  expect_error<ConfigError>([] { BatchNormalization({.renorm = true, .renorm_clipping = {.dmax = -1.0}}); },
                            "dmax should be non-negative in the `renorm_clipping` argument. Received: dmax=-1.0.");
  Config config = BatchNormalization({.renorm = true}).get_config();
  EXPECT_EQ(config.at("renorm_clipping").to_json(), "{}");
  config.set("renorm_clipping", Config::object({{"rmed", 1.0}}));
  expect_error<ConfigError>([&] { deserialize_layer("BatchNormalization", config); },
                            "Received invalid keys for `renorm_clipping` argument: {\"rmed\": 1.0}. Supported values: "
                            "['rmax', 'rmin', 'dmax'].");
}

TEST_F(NormalizationLayers, TheAxisThatTF2WritesIsRead) {
  Config config = layers::BatchNormalization().get_config();
  config.set("axis", Config::List{3});
  EXPECT_EQ(deserialize_layer("BatchNormalization", config).get_config().at("axis"), Config(3));
  config.set("axis", Config::List{1, 2});
  expect_error<ConfigError>([&] { deserialize_layer("BatchNormalization", config); },
                            "BatchNormalization: expected one axis, received axis=[1, 2]");
}

TEST_F(NormalizationLayers, OthersRefuseWhatTheyCannotTake) {
  expect_error<ShapeError>(
      [] {
        layers::LayerNormalization({.axis = {1, 3}})(Input({4, 5}));
      },
      "Axis 3 is out of bounds for input shape (None, 4, 5). Received: axis=[1, 3]");
  expect_error<ShapeError>(
      [] {
        layers::LayerNormalization({.name = "l"})(Input({4, None}));
      },
      "Weight 'l/gamma': expected a known shape, received (None,)");
  expect_error<ShapeError>([] { layers::RMSNormalization({.axis = 2})(Input({4})); },
                           "Axis 2 is out of bounds for input shape (None, 4). Received: axis=2");
  expect_error<ShapeError>([] { layers::UnitNormalization({.axis = -3})(Input({4})); },
                           "Axis -3 is out of bounds for input shape (None, 4). Received: axis=-3");
}

TEST_F(NormalizationLayers, GroupNormalizationRefusesWhatItCannotTake) {
  using layers::GroupNormalization;
  expect_error<ConfigError>([] { GroupNormalization({.groups = 0}); },
                            "Received an invalid value for argument `groups`, expected a positive integer (or `-1` for "
                            "instance normalization). Received: groups=0");
  expect_error<ShapeError>(
      [] {
        GroupNormalization({.groups = 2})(Input({3, None}));
      },
      "Axis -1 of input tensor should have a defined dimension but the layer received an input "
      "with shape (None, 3, None).");
  expect_error<ShapeError>(
      [] {
        GroupNormalization()(Input({3, 6}));
      },
      "Number of groups (32) cannot be more than the number of channels (6).");
  expect_error<ShapeError>(
      [] {
        GroupNormalization({.groups = 4})(Input({3, 6}));
      },
      "Number of groups (4) must be a multiple of the number of channels (6).");
  expect_error<ShapeError>(
      [] {
        GroupNormalization({.groups = 2, .axis = 4})(Input({3, 6}));
      },
      "Axis 4 is out of bounds for input shape (None, 3, 6). Received: axis=4");
  expect_error<ShapeError>(
      [] {
        GroupNormalization({.groups = 2, .axis = 0, .name = "g"})(Input({.batch_shape = {4, 6}}));
      },
      "Layer g: expected an axis of channels, received axis=0, which is the batch, for an input of "
      "shape (4, 6)");
}

TEST_F(NormalizationLayers, UnknownDimensionsStayUnknown) {
  EXPECT_EQ(layers::BatchNormalization()(Input({None, None, 3})).shape(), (Shape{None, None, None, 3}));
  EXPECT_EQ(layers::LayerNormalization()(Input({None, None, 3})).shape(), (Shape{None, None, None, 3}));
  EXPECT_EQ(layers::GroupNormalization({.groups = 3})(Input({None, None, 6})).shape(), (Shape{None, None, None, 6}));
  EXPECT_EQ(layers::UnitNormalization({.axis = 1})(Input({None, 3})).shape(), (Shape{None, None, 3}));
  const Tensor input = Input({None, 4});
  const LayerRef model(
      std::make_shared<Functional>(std::vector{input}, std::vector{layers::GroupNormalization({.groups = 2})(input)}));
  EXPECT_EQ(model(ops::ones({2, 3, 4})).shape(), (Shape{2, 3, 4}));
}

TEST_F(NormalizationLayers, NormalizationAdaptsToData) {
  const Tensor data = constant({0.f, 7.f, 4.f, 2.f, 9.f, 6.f, 0.f, 7.f, 4.f, 2.f, 9.f, 6.f}, {4, 3});
  const layers::Normalization normalization;
  normalization.adapt(data);
  EXPECT_EQ(normalization(constant({0.f, 7.f, 4.f}, {1, 3})).to_vector<float>(), (Floats{-1, -1, -1}));
  const layers::Normalization inverse({.invert = true});
  inverse.adapt(data);
  EXPECT_EQ(inverse(constant({1.f, 2.f, 3.f}, {1, 3})).to_vector<float>(), (Floats{2, 10, 8}));
  const layers::Normalization all({.axis = Axes{}});
  all.adapt(constant<std::int32_t>({1, 2, 3, 4, 5}, {5}));
  EXPECT_NEAR(all(constant({1.f}, {1})).item<float>(), -std::sqrt(2.f), 1e-6);
  const layers::Normalization each({.axis = {0, 1}});
  each.adapt(constant({3.f, 5.f}, {1, 2}));
  EXPECT_EQ(each.weights()[0].value().to_vector<float>(), (Floats{3, 5})) << "nothing to average over";
  EXPECT_EQ(each.weights()[1].value().to_vector<float>(), (Floats{0, 0}));
}

TEST_F(NormalizationLayers, NormalizationAdaptsExactlyAndToABuiltModel) {
  const layers::Normalization normalization({.axis = Axes{}});
  const Tensor input = Input({2});
  const LayerRef model(std::make_shared<Functional>(std::vector{input}, std::vector{normalization(input)}));
  normalization.adapt(around(100000, {500, 2}));
  const Tensor result = model(around(100000, {500, 2}));
  EXPECT_NEAR(ops::mean(result).item<float>(), 0.f, 2e-3);  // the float32 mean that inputs lose is 4e-3 wide
  EXPECT_NEAR(ops::mean(ops::square(result)).item<float>(), 1.f, 1e-4);
}

TEST_F(NormalizationLayers, NormalizationRefusesWhatItCannotTake) {
  using layers::Normalization;
  expect_error<ConfigError>([] { Normalization({.mean = 3}); },
                            "When setting values directly, both `mean` and `variance` must be set. Received: mean=3.0 "
                            "and variance=None");
  expect_error<ConfigError>(
      [] {
        Normalization({.mean = {1, 2}, .variance = 1});
      },
      "When setting values directly, `mean` and `variance` must have the same shape. Received: mean shape (2,) and "
      "variance shape ()");
  expect_error<ConfigError>(
      [] {
        Normalization({.axis = Axes{}, .mean = {1, 2}, .variance = {1, 2}});
      },
      "The rank of `mean` must be less than or equal to the number of axes (0). Received: mean shape (2,) for axis ()");
  expect_error<ShapeError>([] { Normalization({.axis = 2})(Input({3})); },
                           "All `axis` values must be in the range [-ndim, ndim). Received inputs with ndim=2, while "
                           "axis=(2,)");
  expect_error<ShapeError>(
      [] {
        Normalization()(Input({3, None}));
      },
      "All `axis` values to be kept must have a known shape. Received axis=(-1,), "
      "inputs.shape=(None, 3, None), with unknown axis at index 2");
  expect_error<ConfigError>(
      [] {
        Normalization({.mean = 1, .variance = 1, .name = "n"}).adapt(ops::ones({2, 3}));
      },
      "Normalization n: adapt() has nothing to set, as the layer was given a mean");
  const Normalization built;
  built(Input({3}));
  expect_error<ShapeError>(
      [&] {
        built.adapt(ops::ones({2, 4}));
      },
      "The layer was built with input_shape=(None, 3), but adapt() is being called with data with "
      "an incompatible shape, data.shape=(2, 4)");
}

TEST_F(NormalizationLayers, RescalingTakesNumbersAndArrays) {
  EXPECT_EQ(layers::Rescaling(0.5, {.offset = -1})(constant<std::uint8_t>({2, 6}, {1, 2})).to_vector<float>(),
            (Floats{0, 2}));
  const layers::Rescaling arrays(ops::full({2}, 3), {.offset = {1, 2}});
  EXPECT_EQ(arrays(constant({1.f, 2.f}, {1, 2})).to_vector<float>(), (Floats{4, 8}));
  EXPECT_EQ(arrays.get_config().at("scale").to_json(), "[3.0, 3.0]");
  expect_error<ConfigError>([] { layers::Rescaling(Numbers{}); },
                            "Rescaling: expected a scale and an offset, received scale=None and offset=0.0");
  EXPECT_THROW(arrays(ops::ones({1, 3})), ShapeError);
  Config config = arrays.get_config();
  config.set("scale", Config::from_json(R"([[1, 2], [3]])"));
  expect_error<ConfigError>([&] { deserialize_layer("Rescaling", config); },
                            "expected lists of equal lengths, received [[1, 2], [3]]");
}

TEST_F(NormalizationLayers, ALengthOfZeroHasADerivative) {
  const layers::UnitNormalization unit;
  EXPECT_EQ(unit(ops::zeros({1, 3})).to_vector<float>(), (Floats{0, 0, 0}));
}

}  // namespace
}  // namespace strata
