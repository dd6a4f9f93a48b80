// SPDX-License-Identifier: Apache-2.0
// Functions by name: registering them, Lambda, and activations that are functions or layers.
#include "layers/functions.h"

#include <gtest/gtest.h>

#include <thread>

#include "core/base/error.h"
#include "core/model/functional.h"
#include "core/model/session.h"
#include "layers/layers.h"
#include "layers/registry.h"
#include "tests/support/expect_error.h"
#include "tests/support/golden_values.h"

namespace strata {
namespace {

using testing::expect_error;
using Floats = std::vector<float>;

class FunctionsTest : public ::testing::Test {
  Session session_;
  SessionScope scope_{session_};
};

Tensor times(const Tensor& x, const Config& arguments) { return x * arguments.at("by").as_double(); }

LayerRef again(const LayerRef& layer) {
  return deserialize_layer(layer.layer().class_name(), Config::from_json(layer.get_config().to_json()));
}

TEST_F(FunctionsTest, ALambdaIsReadBackOnceItsFunctionIsKnown) {
  const LayerRef lambda = layers::Lambda("doubled", [](const Tensor& x) { return x * 2.0; });
  EXPECT_EQ(lambda(constant({3.f}, {1, 1})).to_vector<float>(), (Floats{6}));
  expect_error<ConfigError>(
      [&] { again(lambda); },
      "Unknown function: doubled. Call register_function(\"doubled\", ...) before it is asked for, or give it as one "
      "of `custom_objects`.");
  register_function("doubled", [](const Tensor& x) { return x * 2.0; });
  EXPECT_EQ(again(lambda).get_config(), lambda.get_config());
  EXPECT_EQ(again(lambda)(constant({3.f}, {1, 1})).to_vector<float>(), (Floats{6}));
  EXPECT_EQ(layers::Lambda("doubled")(Input({5})).shape(), (Shape{None, 5}));
}

TEST_F(FunctionsTest, NamesAreTakenOnce) {
  const auto register_it = [](const char* name) { register_function(name, [](const Tensor& x) { return x; }); };
  register_it("once");
  expect_error<ConfigError>([&] { register_it("once"); }, "register_function: a function 'once' is known already");
  expect_error<ConfigError>([&] { register_it("relu"); }, "register_function: a function 'relu' is known already");
  expect_error<ConfigError>([&] { register_it(""); }, "register_function: expected a name and a function, received ''");
}

TEST_F(FunctionsTest, ThreadsMayRegisterAndAskAtOnce) {
  std::vector<std::thread> threads;
  for (int i = 0; i < 4; ++i) {
    threads.emplace_back([i] {
      for (int k = 0; k < 50; ++k) {
        const std::string name = "thread" + std::to_string(i) + "_" + std::to_string(k);
        register_function(name, [](const Tensor& x) { return x; });
        EXPECT_EQ(NamedFunction(name).name(), name);
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
}

TEST_F(FunctionsTest, ALambdaHandsOverArgumentsInputsAndMode) {
  const layers::Lambda scaled("times", times, {.arguments = Config::object({{"by", 3.0}})});
  EXPECT_EQ(scaled(constant({2.f}, {1, 1})).to_vector<float>(), (Floats{6}));
  const layers::Lambda sum("sum", [](const std::vector<Tensor>& x) { return x[0] + x[1]; });
  EXPECT_EQ(sum({constant({2.f}, {1, 1}), constant({5.f}, {1, 1})}).to_vector<float>(), (Floats{7}));
  const layers::Lambda mode("mode", [](const Tensor& x) { return CallContext::current()->training() ? x * 10.0 : x; });
  EXPECT_EQ(mode(constant({2.f}, {1, 1})).to_vector<float>(), (Floats{2}));
  EXPECT_EQ(mode(constant({2.f}, {1, 1}), {.training = true}).to_vector<float>(), (Floats{20}));
}

TEST_F(FunctionsTest, ALambdaEndsMasksUnlessItMakesOne) {
  const auto states = [](const auto& make) {
    Session session;  // equal first weights
    const SessionScope scope(session);
    const Tensor input = Input({4, 2});
    const LayerRef model(std::make_shared<Functional>(
        std::vector{input},
        std::vector{layers::LSTM(3, {.return_sequences = true})(make()(layers::Masking()(input)))}));
    const Tensor x = constant(Floats{1, 2, 0, 0, 3, 4, 0, 0}, {1, 4, 2});
    return model(x).to_vector<float>();
  };
  const auto same = [](const Tensor& x) { return x; };
  const NamedFunction passed("passed", [](const Tensor&) { return CallContext::current()->mask(); });
  const Floats without = states([&] { return layers::Lambda("same", same); });
  const Floats with = states([&] { return layers::Lambda("same", same, {.mask = passed}); });
  EXPECT_EQ(with, states([] { return layers::Activation("linear"); }));
  EXPECT_NE(with, without);
}

TEST_F(FunctionsTest, ConfigsOfTfKeras2AreRead) {
  register_function("from_python", times);
  const LayerRef lambda = deserialize_layer(
      "Lambda", Config::from_json(R"({"function": "from_python", "function_type": "function", "module": "__main__",
               "output_shape": null, "output_shape_type": "raw", "output_shape_module": null,
               "arguments": {"by": 2.5}})"));
  EXPECT_EQ(lambda(constant({2.f}, {1, 1})).to_vector<float>(), (Floats{5}));
  expect_error<ConfigError>(
      [] {
        deserialize_layer("Lambda",
                          Config::from_json(R"({"function": ["4wE=", null, null], "function_type": "lambda"})"));
      },
      R"(Expected the name of a function, received ["4wE=", null, null]. A Python lambda cannot be read: give it a name )"
      "in Keras with keras.saving.register_keras_serializable, and make a C++ function known under this name with "
      "register_function.");
}

TEST_F(FunctionsTest, ActivationsAreKnownFunctionsOrLayers) {
  register_function("tripled", [](const Tensor& x) { return x * 3.0; });
  const Tensor x = constant({-2.f, 2.f}, {1, 2});
  EXPECT_EQ(layers::Activation("tripled")(x).to_vector<float>(), (Floats{-6, 6}));
  for (const char* text : {R"("tripled")", R"({"class_name": "function", "config": "tripled"})",
                           R"({"module": "builtins", "class_name": "function", "config": "tripled",
                               "registered_name": "function"})"}) {
    EXPECT_EQ(Activation::from_config(Config::from_json(text))(x).to_vector<float>(), (Floats{-6, 6}));
  }
  const Activation leaky =
      Activation::from_config(Config::from_json(R"({"class_name": "LeakyReLU", "config": {"negative_slope": 0.5}})"));
  const layers::Dense dense(2, {.activation = leaky, .kernel_initializer = "identity"});
  EXPECT_EQ(dense(x).to_vector<float>(), (Floats{-1, 2}));
  EXPECT_EQ(again(dense).get_config(), dense.get_config());
}

/// The definition: the projection of x on the points whose elements are not negative and add up to 1 (Martins and
/// Astudillo, 2016, algorithm 1).
std::vector<double> projected(std::vector<double> x) {
  std::vector<double> sorted = x;
  std::sort(sorted.rbegin(), sorted.rend());
  double sum = 0.0, threshold = 0.0;
  for (std::size_t k = 1; k <= sorted.size(); ++k) {
    sum += sorted[k - 1];
    if (1.0 + static_cast<double>(k) * sorted[k - 1] > sum) threshold = (sum - 1.0) / static_cast<double>(k);
  }
  for (double& value : x) value = std::max(value - threshold, 0.0);
  return x;
}

TEST_F(FunctionsTest, SparsemaxProjectsOnProbabilities) {
  for (const std::vector<double>& x : {std::vector<double>{0, 0.5, 1},
                                       {0.5, 0.5, 0.1},
                                       {3, 1, 0.2},
                                       {1, 1, 1, 1},
                                       {0.1, 0.2, 0.3, 0.4, 0.5},
                                       {-100, 0, 100},
                                       {1, 0}}) {
    const auto size = static_cast<Dim>(x.size());
    const std::vector<double> expected = projected(x);
    testing::expect_close(activations::sparsemax(constant(x, {1, size})), constant(expected, {1, size}), 0, 1e-12);
    testing::expect_close(activations::sparsemax(constant(x, {size, 1}), 0), constant(expected, {size, 1}), 0, 1e-12);
  }
}

TEST_F(FunctionsTest, ASoftmaxNeedsAMaskThatBroadcasts) {
  const Tensor x = ops::ones({2, 3});
  expect_error<ShapeError>(
      [&] {
        layers::Softmax()(x, {.mask = {ops::ones({1, 2, 3}, Dtype::boolean)}});
      },
      "The `mask` must be broadcastable to `inputs` and must not have more dimensions. Received: "
      "inputs.shape=(2, 3), mask.shape=(1, 2, 3)");
  expect_error<ShapeError>([&] { layers::Softmax()(x, {.mask = {ops::ones({2}, Dtype::boolean)}}); },
                           "The `mask` must be broadcastable to `inputs`. Each mask dimension must be 1 or match the "
                           "corresponding input dimension. Received: inputs.shape=(2, 3), mask.shape=(2,)");
}

}  // namespace
}  // namespace strata
