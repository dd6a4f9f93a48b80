// SPDX-License-Identifier: Apache-2.0
// What the Keras guide "The functional API" shows of layers and models of one's own; see guide_observations_test.cpp.
#include <gtest/gtest.h>

#include <cmath>

#include "strata/strata.h"
#include "tests/support/custom_dense.h"
#include "tests/support/expect_error.h"

namespace strata {
namespace {

using testing::CustomDense;
using Floats = std::vector<float>;

class GuideExtension : public ::testing::Test {
  Session session_;
  SessionScope scope_{session_};
};

// Row 40.
TEST_F(GuideExtension, ALayerMakesItsWeightsWhenItSeesItsFirstInput) {
  const LayerRef layer = make_layer<CustomDense>(500);
  EXPECT_TRUE(layer.weights().empty());
  EXPECT_EQ(layer(Input({40})).shape(), (Shape{None, 500}));
  ASSERT_EQ(layer.weights().size(), 2u);
  EXPECT_EQ(layer.weights()[0].shape(), (Shape{40, 500}));

  double sum = 0, squares = 0;
  for (const float value : layer.get_weights()[0].to_vector<float>()) {
    sum += value;
    squares += value * value;
  }
  EXPECT_NEAR(sum / 20'000, 0.0, 4 * 0.05 / std::sqrt(20'000));
  EXPECT_NEAR(std::sqrt(squares / 20'000), 0.05, 0.001);

  const LayerRef small = make_layer<CustomDense>(2);
  small(Input({2}));
  small.set_weights({constant({1.F, 2.F, 3.F, 4.F}, {2, 2}), constant({0.5F, -0.5F}, {2})});
  EXPECT_EQ(small(constant({1.F, 1.F}, {1, 2})).to_vector<float>(), (Floats{4.5, 5.5}));
}

// Rows 41 and 42.
TEST_F(GuideExtension, AModelIsMadeAgainFromItsConfigWhenItsClassesAreKnown) {
  const auto inputs = Input({4});
  const Model model(inputs, make_layer<CustomDense>(10)(inputs));
  const Config config = Config::object({{"class_name", "Model"}, {"config", model.get_config()}});
  const Config layer = model.get_config().at("layers").as_list().at(1);
  EXPECT_EQ(layer.at("class_name").as_string(), "CustomDense");
  EXPECT_EQ(layer.at("config").at("units").as_int(), 10);

  testing::expect_error_with<ConfigError>([&] { model_from_config(config); }, "Unknown layer: CustomDense");
  // As Keras' own from_config, the function hands the config to the constructor.
  const auto from_config = [](const Config& c) { return make_layer<CustomDense>(c.at("units").as_int()); };
  const Model again = model_from_config(config, {{"CustomDense", from_config}});
  EXPECT_EQ(again.layers()[1].output_shape(), (Shape{None, 10}));
  again.set_weights(model.get_weights());
  EXPECT_EQ(again(ops::ones({1, 4})).to_vector<float>(), model(ops::ones({1, 4})).to_vector<float>());
}

/// The four ways to write a call; each adds its inputs up to one number a sample.
class Inputs : public Layer {
 public:
  std::string class_name() const override { return "Inputs"; }
  Tensor call(const Tensor& inputs, CallContext&) override { return ops::sum(inputs, {1}, true); }
};
class InputsTraining : public Layer {
 public:
  std::string class_name() const override { return "InputsTraining"; }
  Tensor call(const Tensor& inputs, CallContext& context) override {
    const Tensor sums = ops::sum(inputs, {1}, true);
    return context.training() ? -sums : sums;
  }
};
class InputsMask : public Layer {
 public:
  std::string class_name() const override { return "InputsMask"; }
  Tensor call(const Tensor& inputs, CallContext& context) override {
    return ops::sum(context.mask() ? inputs * ops::cast(context.mask(), inputs.dtype()) : inputs, {1}, true);
  }
};
class InputsTrainingMask : public InputsMask {
 public:
  std::string class_name() const override { return "InputsTrainingMask"; }
  Tensor call(const Tensor& inputs, CallContext& context) override {
    const Tensor sums = InputsMask::call(inputs, context);
    return context.training() ? -sums : sums;
  }
};

// Row 49.
TEST_F(GuideExtension, ACallTakesTrainingAndMaskIfItLikes) {
  const Tensor x = constant({1.F, 2.F, 4.F}, {1, 3});
  const CallOptions options{.training = true, .mask = {constant({true, false, true}, {1, 3})}};
  const auto calls = [&](const LayerRef& layer) {
    const auto inputs = Input({3});
    const auto mask = Input({3}, {.dtype = Dtype::boolean});
    // Within a functional model `training` comes from who runs the model.
    const LayerRef model(Model({inputs, mask}, {layer(inputs, {.mask = {mask}})}));
    const float alone = layer(x, options).item<float>();
    EXPECT_EQ(model({x, options.mask[0]}, {.training = true}).item<float>(), alone) << layer.name();
    return Floats{layer(x).item<float>(), alone};
  };
  EXPECT_EQ(calls(make_layer<Inputs>()), (Floats{7, 7}));
  EXPECT_EQ(calls(make_layer<InputsTraining>()), (Floats{7, -7}));
  EXPECT_EQ(calls(make_layer<InputsMask>()), (Floats{7, 5}));
  EXPECT_EQ(calls(make_layer<InputsTrainingMask>()), (Floats{7, -5}));
}

}  // namespace
}  // namespace strata
