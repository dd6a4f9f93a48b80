// SPDX-License-Identifier: Apache-2.0
// Weights of layers as a user writes them: options, where they are made, names, updates.
#include <gtest/gtest.h>

#include "core/base/error.h"
#include "core/model/functional.h"
#include "core/model/sequential.h"
#include "core/model/session.h"
#include "layers/layers.h"
#include "tests/support/expect_error.h"

namespace strata {
namespace {

using testing::expect_error;

/// One weight from the constructor, two from build.
class Early : public Layer {
 public:
  Early() : early_(add_weight("early", {}, {.initializer = "ones"})) {}
  std::string class_name() const override { return "Early"; }
  void build(const Shape& input) override {
    add_weight("late", {2});
    track(layers::Dense(1));
    if (input.back() == 13) throw ShapeError("not 13");
    const auto twos = [](const Shape& shape, Dtype dtype, const RandomKey&) { return ops::full(shape, 2.0, dtype); };
    add_weight("own", {1}, {.initializer = twos, .trainable = false, .dtype = Dtype::float64});
  }
  Tensor call(const Tensor& x, CallContext&) override { return x * early_.value(); }

 private:
  Variable early_;
};

/// Adds its input's mean to a state, in every call.
class Adding : public Layer {
 public:
  explicit Adding(bool mixed = false) : mixed_(mixed) {}
  std::string class_name() const override { return "Adding"; }
  void build(const Shape&) override { state_ = add_weight("state", {}, {.initializer = "zeros", .trainable = false}); }
  Tensor call(const Tensor& x, CallContext& context) override {
    context.update(state_, context.value(state_) * 2.0 + ops::mean(x), Combine::sum);
    if (mixed_) context.update(state_, state_, Combine::mean);
    return x;
  }

 private:
  bool mixed_;
  Variable state_;
};

/// A layer that calls another one twice.
class Twice : public Layer {
 public:
  std::string class_name() const override { return "Twice"; }
  Tensor call(const Tensor& x, CallContext&) override { return inner_(inner_(x) + 1.0); }
  LayerRef inner_ = track(make_layer<Adding>());
};

/// A weight of its own, and two layers of one name.
class Pair : public Layer {
 public:
  using Layer::Layer;
  std::string class_name() const override { return "Pair"; }
  void build(const Shape&) override { scale_ = add_weight("scale", {}); }
  Tensor call(const Tensor& x, CallContext&) override { return first_(x) + second_(x) * scale_.value(); }

 private:
  LayerRef first_ = track(layers::Dense(2, {.use_bias = false, .name = "dense"}));
  LayerRef second_ = track(layers::Dense(2, {.use_bias = false, .name = "dense"}));
  Variable scale_;
};

std::vector<std::string> names(const std::vector<NamedVariable>& weights) {
  std::vector<std::string> result;
  for (const NamedVariable& weight : weights) result.push_back(weight.name);
  return result;
}

using Names = std::vector<std::string>;

class WeightsTest : public ::testing::Test {
  Session session_;
  SessionScope scope_{session_};
};

TEST_F(WeightsTest, WeightsOfTheConstructorStay) {
  const LayerRef layer = make_layer<Early>();
  EXPECT_EQ(layer.weights().size(), 1u);
  expect_error<ShapeError>([&] { layer(ops::ones({1, 13})); }, "not 13");
  EXPECT_EQ(names(layer.named_weights()), (Names{"early/early"})) << "a failed build leaves nothing behind";
  EXPECT_EQ(layer(ops::ones({1, 2})).to_vector<float>(), (std::vector<float>{1, 1}));
  EXPECT_EQ(names(layer.named_weights()), (Names{"early/early", "early/late", "early/own"}));
}

TEST_F(WeightsTest, WeightsTakeOptions) {
  const LayerRef layer = make_layer<Early>();
  layer(ops::ones({1, 2}));
  const Variable own = layer.non_trainable_weights().at(0);
  EXPECT_EQ(own.path(), "early/own");
  EXPECT_EQ(own.value().to_vector<double>(), (std::vector<double>{2}));
  EXPECT_EQ(Initializer([](const Shape& s, Dtype d, const RandomKey&) { return ops::ones(s, d); }).class_name(),
            "Custom");
}

TEST_F(WeightsTest, SeveralUpdatesInAStepApplyInOrder) {
  const LayerRef twice = make_layer<Twice>();
  twice(ops::ones({2}), {.training = true});  // 2 (2 * 0 + 1) + 2
  EXPECT_EQ(twice.weights()[0].value().item<float>(), 4.f);
  Trace trace{.training = true};
  CallContext context(trace, "", true);
  twice.layer().run({ops::ones({2})}, context);
  EXPECT_EQ(trace.updates.size(), 1u) << "one entry per variable";
  expect_error<ConfigError>([&] { make_layer<Adding>(true)(ops::ones({2}), {.training = true}); },
                            "update of 'adding_1/state': expected the same Combine for all updates in a step, received "
                            "both mean and sum");
}

TEST_F(WeightsTest, NamesOfWeightsAreUniqueInAModel) {
  const Tensor inner_input = Input({2});
  const LayerRef encoder(std::make_shared<Functional>(std::vector{inner_input},
                                                      std::vector{layers::Dense(2, {.name = "dense"})(inner_input)},
                                                      LayerOptions{.name = "encoder"}));
  const LayerRef pair = make_layer<Pair>(LayerOptions{.name = "pair"});
  const Tensor input = Input({2});
  const Tensor output = layers::Dense(1, {.name = "dense"})(pair(encoder(input)));
  const Functional model({input}, {output});
  const auto named = model.named_weights();
  EXPECT_EQ(names(named), (Names{"encoder/dense/kernel", "encoder/dense/bias", "pair/scale", "pair/dense/kernel",
                                 "pair/dense/kernel_1", "dense/kernel", "dense/bias"}));
  ASSERT_EQ(named.size(), model.weights().size());
  for (std::size_t i = 0; i < named.size(); ++i) EXPECT_EQ(named[i].variable, model.weights()[i]) << named[i].name;
  EXPECT_EQ(names(encoder.named_weights()), (Names{"dense/kernel", "dense/bias"}));
  EXPECT_EQ(names(pair.named_weights()), (Names{"pair/scale", "pair/dense/kernel", "pair/dense/kernel_1"}));
}

TEST_F(WeightsTest, TheSessionHasADefaultDtype) {
  Session::current().set_default_dtype(Dtype::float64);
  const Tensor input = Input({2});
  EXPECT_EQ(input.dtype(), Dtype::float64);
  const LayerRef dense = layers::Dense(2), single = layers::Dense(2, {.dtype = Dtype::float32});
  EXPECT_EQ(dense(input).dtype(), Dtype::float64);
  EXPECT_EQ(dense.layer().compute_dtype(), Dtype::float64);
  EXPECT_EQ(dense.weights()[0].spec().dtype, Dtype::float64);
  EXPECT_EQ(dense.get_config().at("dtype").as_string(), "float64");
  EXPECT_EQ(single(input).dtype(), Dtype::float32);
  expect_error<DtypeError>([] { Session::current().set_default_dtype(Dtype::int32); },
                           "set_default_dtype: expected a floating dtype, received int32");
  EXPECT_EQ(Session::current().default_dtype(), Dtype::float64);
}

TEST_F(WeightsTest, LayersAreCalledOnBracesAndOnConstants) {
  const auto a = Input({2});
  const auto b = Input({2});
  const layers::Add add;
  EXPECT_EQ(add({a, b}).shape(), (Shape{None, 2}));
  const auto x = ops::ones({1, 2});
  EXPECT_EQ(add({x, x}, {.training = true}).to_vector<float>(), (std::vector<float>{2, 2}));
}

}  // namespace
}  // namespace strata
