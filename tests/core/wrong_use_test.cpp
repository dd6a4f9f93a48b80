// SPDX-License-Identifier: Apache-2.0
// What users of Keras get wrong, and the texts that they know. Others are tested where their layers are.
#include <gtest/gtest.h>

#include <functional>

#include "core/base/error.h"
#include "core/model/session.h"
#include "core/training/model.h"
#include "layers/layers.h"
#include "tests/support/expect_error.h"

namespace strata {
namespace {

using testing::expect_error;

class Scale : public Layer {
 public:
  explicit Scale(double by, LayerOptions options = {}) : Layer(std::move(options)), by_(by) {}
  std::string class_name() const override { return "Scale"; }
  Tensor call(const Tensor& x, CallContext&) override { return x * by_; }

 private:
  double by_;
};

/// Says what it was made with.
class Described : public Scale {
 public:
  using Scale::Scale;
  Config config() const override { return Config::object({{"by", 2.0}}); }
};

class NoArguments : public Layer {
 public:
  using Layer::Layer;
  std::string class_name() const override { return "NoArguments"; }
  Tensor call(const Tensor& x, CallContext&) override { return x; }
};

class ReturnsNothing : public SubclassedModel {
 public:
  std::string class_name() const override { return "ReturnsNothing"; }
  Tensor call(const Tensor&, CallContext&) override { return {}; }
};

class WeightsInCall : public Layer {
 public:
  std::string class_name() const override { return "WeightsInCall"; }
  Tensor call(const Tensor& x, CallContext&) override { return x * add_weight("late", {}, {.initializer = "ones"}); }
};

class LayersInCall : public Layer {
 public:
  std::string class_name() const override { return "LayersInCall"; }
  Tensor call(const Tensor& x, CallContext&) override { return track(layers::Dense(1))(x); }
};

class WrongUseTest : public ::testing::Test {
  Session session_;
  SessionScope scope_{session_};
};

TEST_F(WrongUseTest, HasTheTextsOfKeras) {
  const std::string locked =
      "You cannot add new elements of state (variables or sub-layers) to a layer that is already built. All state must "
      "be created in the `__init__()` method or in the `build()` method. Layer: ";
  const struct {
    std::function<void()> use;
    std::string text;
  } rows[] = {
      {[] { make_layer<Scale>(2.0).get_config(); },
       "Layers with arguments in `__init__` must override `get_config`. Layer scale of class Scale was made with "
       "arguments, but does not override config()."},
      {[] {
         const Tensor in = Input({2});
         Model(in, make_layer<Scale>(3.0)(in)).get_config();
       },
       "Layers with arguments in `__init__` must override `get_config`. Layer scale_1 of class Scale was made with "
       "arguments, but does not override config()."},
      {[] { make_model<ReturnsNothing>().get_config(); },
       "Layers with arguments in `__init__` must override `get_config`. Model returns_nothing of class ReturnsNothing "
       "is "
       "a subclassed one, whose function is the body of its call(), and does not override config()."},
      {[] {
         make_model<ReturnsNothing>()(ops::ones({1, 2}));
       },
       "A layer's `call` method should return a Tensor or a list of Tensors, not None (layer: returns_nothing_1)."},
      {[] { make_model<ReturnsNothing>().summary(); },
       "This model has not yet been built. Build the model first by calling `build()` or calling `fit()` with some "
       "data, or specify an `input_shape` argument in the first layer(s) for automatic build."},
      {[] {
         make_model<ReturnsNothing>().fit(ops::ones({1, 2}), ops::ones({1, 2}));
       },
       "You must compile your model before training/testing. Use `model.compile(optimizer, loss)`."},
      {[] { make_model<ReturnsNothing>().output(); }, "Layer returns_nothing_4 has no inbound nodes."},
      {[] { make_model<ReturnsNothing>().get_layer("x"); }, "No such layer: x"},
      {[] { make_model<ReturnsNothing>().count_params(); },
       "You tried to call `count_params` on returns_nothing_6, but the layer isn't built. Call the layer on an input "
       "first."},
      {[] { make_layer<WeightsInCall>()(Input({2})); }, locked + "weights_in_call"},
      {[] {
         make_layer<LayersInCall>()(ops::ones({1, 2}));
       },
       locked + "layers_in_call"},
      {[] { Loss("mze"); }, "Unknown loss function:mze"},
      {[] { Metric("mze"); }, "Unknown metric function:mze"},
      {[] { Optimizer("mze"); }, "Could not interpret optimizer identifier: mze"},
      {[] { layers::Dense(3, {.kernel_initializer = "mze"}); }, "Unknown initializer:mze"},
  };
  for (const auto& [use, text] : rows) {
    try {
      use();
      ADD_FAILURE() << "expected the error: " << text;
    } catch (const ConfigError& error) {
      EXPECT_EQ(std::string(error.what()).substr(0, text.size()), text);
    }
  }
}

TEST_F(WrongUseTest, TargetsOfAnotherShape) {
  const Tensor in = Input({2});
  Model model(in, layers::Dense(3)(in));
  model.compile({.optimizer = "sgd", .loss = "mse"});
  expect_error<ShapeError>(
      [&] {
        model.fit(ops::ones({4, 2}), ops::ones({4, 2}), {.verbose = 0});
      },
      "A target array with shape (4, 2) was passed for an output of shape (None, 3) while "
      "using as loss `mean_squared_error`. This loss expects targets to have the same shape as the "
      "output.");
}

TEST_F(WrongUseTest, LayersThatSayWhatTheyWereMadeWithAreFine) {
  EXPECT_EQ(make_layer<Described>(2.0).get_config().at("by").as_double(), 2.0);
  EXPECT_EQ(make_layer<NoArguments>().get_config().at("name").as_string(), "no_arguments");
  EXPECT_EQ(make_layer<NoArguments>(LayerOptions{.name = "mine"}).get_config().at("name").as_string(), "mine");
}

}  // namespace
}  // namespace strata
