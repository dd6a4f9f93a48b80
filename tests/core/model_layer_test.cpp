// SPDX-License-Identifier: Apache-2.0
// Layers as a user writes them: weights, sub-layers, several outputs, state, losses, random numbers.
#include "core/model/layer.h"

#include <gtest/gtest.h>

#include <algorithm>

#include "core/base/error.h"
#include "core/model/functional.h"
#include "core/model/session.h"
#include "layers/layers.h"
#include "tests/support/expect_error.h"

namespace strata {
namespace {

using testing::expect_error;

class CustomDense : public Layer {
 public:
  explicit CustomDense(Dim units, LayerOptions options = {}) : Layer(std::move(options)), units_(units) {}
  std::string class_name() const override { return "CustomDense"; }
  Config config() const override { return Config::object({{"units", units_}}); }
  void build(const Shape& input) override {
    w_ = add_weight("w", {input.back(), units_}, {.initializer = "random_normal"});
    b_ = add_weight("b", {units_}, {.initializer = initializers::RandomNormal()});
  }
  Tensor call(const Tensor& inputs, CallContext&) override { return ops::matmul(inputs, w_) + b_; }

 private:
  Dim units_;
  Variable w_, b_;
};

/// Two outputs.
class Split : public Layer {
 public:
  std::string class_name() const override { return "Split"; }
  std::vector<Tensor> call_many(const std::vector<Tensor>& inputs, CallContext&) override {
    const Tensor& x = inputs.at(0);
    const Dim half = x.shape().back() / 2;
    return {ops::slice(x, {0, 0}, {None, half}), ops::slice(x, {0, half}, {None, None})};
  }
};

/// Sub-layers, one of them called twice; a model among them.
class Block : public Layer {
 public:
  using Layer::Layer;
  std::string class_name() const override { return "Block"; }
  Tensor call(const Tensor& x, CallContext&) override { return dropout_(dense_(dropout_(custom_(x)))); }

  LayerRef custom_ = track(make_layer<CustomDense>(4));
  LayerRef dense_ = track(layers::Dense(4, {.use_bias = false}));
  LayerRef dropout_ = track(layers::Dropout(0.5));
};

/// State that training changes without a gradient.
class Counter : public Layer {
 public:
  std::string class_name() const override { return "Counter"; }
  void build(const Shape&) override {
    count_ = add_weight("count", {}, {.initializer = "zeros", .trainable = false});
    scale_ = add_weight("scale", {}, {.initializer = "ones"});
  }
  Tensor call(const Tensor& x, CallContext& context) override {
    if (context.training()) context.update(count_, count_ + 1.0, Combine::sum);
    return x * scale_.value() + count_;
  }

 private:
  Variable count_, scale_;
};

class LayerTest : public ::testing::Test {
  Session session_;
  SessionScope scope_{session_};
};

TEST_F(LayerTest, ACustomLayerWorksInAModelAndAlone) {
  const Tensor input = Input({4});
  const LayerRef layer = make_layer<CustomDense>(10);
  const Tensor output = layer(input);
  EXPECT_EQ(output.shape(), (Shape{None, 10}));
  EXPECT_EQ(layer.name(), "custom_dense");
  ASSERT_EQ(layer.weights().size(), 2u);
  EXPECT_EQ(layer.weights()[0].path(), "custom_dense/w");
  EXPECT_EQ(layer.count_params(), 50);
  const LayerRef model(std::make_shared<Functional>(std::vector{input}, std::vector{output}));
  layer.weights()[0].assign(ops::ones({4, 10}));
  layer.weights()[1].assign(ops::full({10}, 0.5));
  const Tensor x = constant({1.f, 2.f, 3.f, 4.f}, {1, 4});
  EXPECT_EQ(model(x).to_vector<float>(), std::vector<float>(10, 10.5f));
  EXPECT_EQ(layer(x).to_vector<float>(), std::vector<float>(10, 10.5f));
  EXPECT_EQ(layer.get_config().to_json(),
            "{\"name\": \"custom_dense\", \"trainable\": true, \"dtype\": \"float32\", \"units\": 10}");
}

TEST_F(LayerTest, ALayerMayHaveSeveralOutputs) {
  const Tensor input = Input({6});
  const LayerRef split = make_layer<Split>();
  const std::vector<Tensor> halves = split.call({input});
  ASSERT_EQ(halves.size(), 2u);
  EXPECT_EQ(halves[1].shape(), (Shape{None, 3}));
  const LayerRef model(
      std::make_shared<Functional>(std::vector{input}, std::vector{layers::concatenate({halves[1], halves[0]})}));
  EXPECT_EQ(model(constant({1.f, 2.f, 3.f, 4.f, 5.f, 6.f}, {1, 6})).to_vector<float>(),
            (std::vector<float>{4, 5, 6, 1, 2, 3}));
  expect_error<ConfigError>([&] { split(input); },
                            "Layer split has 2 outputs where one was expected. Use the function that returns a list.");
  EXPECT_EQ(split.get_outputs_at(0).size(), 2u);
}

TEST_F(LayerTest, SubLayersAreBuiltAndTracked) {
  const LayerRef block = make_layer<Block>();
  EXPECT_EQ(block(Input({3})).shape(), (Shape{None, 4}));
  std::vector<std::string> paths;
  for (const Variable& weight : block.weights()) paths.push_back(weight.path());
  EXPECT_EQ(paths, (std::vector<std::string>{"custom_dense/w", "custom_dense/b", "dense/kernel"}));
  block.set_trainable(false);
  EXPECT_TRUE(block.trainable_weights().empty());
  EXPECT_EQ(block.non_trainable_weights().size(), 3u);
}

TEST_F(LayerTest, SubLayersInheritTraining) {
  const LayerRef block = make_layer<Block>();
  const Tensor x = ops::ones({8, 3});
  const auto zeros = [](const Tensor& y) {
    const auto values = y.to_vector<float>();
    return std::count(values.begin(), values.end(), 0.f);
  };
  EXPECT_EQ(zeros(block(x)), 0);
  EXPECT_GT(zeros(block(x, {.training = true})), 0);
  EXPECT_EQ(zeros(block(x, {.training = false})), 0);
}

TEST_F(LayerTest, ACallInAModelMayFixTraining) {
  const Tensor input = Input({100});
  const Tensor output = layers::Dropout(0.5)(input, {.training = true});
  const LayerRef model(std::make_shared<Functional>(std::vector{input}, std::vector{output}));
  const auto values = model(ops::ones({1, 100})).to_vector<float>();
  EXPECT_GT(std::count(values.begin(), values.end(), 0.f), 0);
  EXPECT_GT(std::count(values.begin(), values.end(), 2.f), 0);
}

TEST_F(LayerTest, EveryDrawOfEveryCallHasItsOwnStream) {
  Trace trace{true, constant<std::int64_t>({1, 2, 3}, {3}), {}, {}};
  CallContext context(trace, "model", true);
  CallContext first = context.nested("dropout", {}), second = context.nested("dropout", {.training = false});
  EXPECT_EQ(first.path(), "model/dropout#0");
  EXPECT_EQ(second.path(), "model/dropout#1");
  EXPECT_TRUE(first.training());
  EXPECT_FALSE(second.training());
  const std::uint64_t a = first.random_key().stream, b = first.random_key().stream, c = second.random_key().stream;
  EXPECT_NE(a, b);
  EXPECT_NE(a, c);
  EXPECT_EQ(first.random_key().state.to_vector<std::int64_t>(), (std::vector<std::int64_t>{1, 2, 3}));
}

TEST_F(LayerTest, AnEagerTrainingCallChangesTheStateAfterwards) {
  const LayerRef counter = make_layer<Counter>();
  const Tensor x = ops::zeros({1});
  EXPECT_EQ(counter(x).item<float>(), 0.f);
  const Tensor first = counter(x, {.training = true}), second = counter(x, {.training = true});
  EXPECT_EQ(first.item<float>(), 0.f) << "the output is that of the state before";
  EXPECT_EQ(second.item<float>(), 1.f);
  EXPECT_EQ(counter(x).item<float>(), 2.f);
  EXPECT_EQ(counter.weights()[0].path(), "counter/scale") << "trainable weights come first";
  EXPECT_EQ(counter.trainable_weights().size(), 1u);
  EXPECT_EQ(counter.non_trainable_weights()[0].path(), "counter/count");
}

TEST_F(LayerTest, DefiningAModelChangesNoState) {
  const LayerRef counter = make_layer<Counter>();
  counter(Input({1}), {.training = true});
  EXPECT_EQ(counter.non_trainable_weights()[0].value().item<float>(), 0.f);
}

class Careless : public Layer {
 public:
  std::string class_name() const override { return "Careless"; }
  void build(const Shape&) override {
    for (int i = 0; i < 3; ++i) add_weight("", {2}, {.initializer = "zeros"});
    add_weight("kernel", {2}, {.initializer = "zeros"});
    add_weight("kernel", {2}, {.initializer = "zeros"});
  }
  Tensor call(const Tensor&, CallContext&) override { return {}; }
};

TEST_F(LayerTest, WeightNamesAreMadeUnique) {
  const LayerRef layer = make_layer<Careless>();
  expect_error<ConfigError>([&] { layer(Input({1})); },
                            "A layer's `call` method should return a Tensor or a list of Tensors, not None (layer: "
                            "careless).");
  std::vector<std::string> paths;
  for (const Variable& weight : layer.weights()) paths.push_back(weight.path());
  EXPECT_EQ(paths, (std::vector<std::string>{"careless/variable", "careless/variable_1", "careless/variable_2",
                                             "careless/kernel", "careless/kernel_1"}));
}

class NoCall : public Layer {
 public:
  std::string class_name() const override { return "NoCall"; }
};

class UnknownWeight : public Layer {
 public:
  std::string class_name() const override { return "UnknownWeight"; }
  void build(const Shape& input) override { add_weight("w", input); }
};

TEST_F(LayerTest, ErrorsNameTheLayer) {
  expect_error<ConfigError>([&] { make_layer<NoCall>()(Input({1})); },
                            "Layer 'no_call': NoCall must override call or call_many");
  expect_error<ShapeError>([&] { make_layer<UnknownWeight>()(Input({1})); },
                           "Weight 'unknown_weight/w': expected a known shape, received (None, 1)");
  const LayerRef dense = layers::Dense(3);
  expect_error<ConfigError>(
      [&] { dense.count_params(); },
      "You tried to call `count_params` on dense, but the layer isn't built. Call the layer on an "
      "input first.");
  expect_error<ConfigError>(
      [&] {
        dense({Input({1}), Input({1})});
      },
      "Layer dense expects 1 inputs, but it received 2 input tensors. Inputs received: "
      "[Tensor(\"input_3:0\", shape=(None, 1), dtype=float32), Tensor(\"input_4:0\", "
      "shape=(None, 1), dtype=float32)]");
}

/// Looks only.
class Picky : public Layer {
 public:
  explicit Picky(InputSpec spec) { set_input_spec({std::move(spec)}); }
  std::string class_name() const override { return "Picky"; }
  Tensor call(const Tensor& x, CallContext&) override { return x; }
};

TEST_F(LayerTest, ChecksInputsWithTheTextsOfKeras) {
  const auto call = [](InputSpec spec, const TensorSpec& input) {
    LayerRef(std::make_shared<Picky>(std::move(spec)))(ops::zeros(input.shape, input.dtype));
  };
  expect_error<ShapeError>(
      [&] {
        call({.rank = 4}, {{2, 784}});
      },
      "Input 0 of layer picky is incompatible with the layer: expected ndim=4, found ndim=2. Full "
      "shape received: [2, 784]");
  expect_error<ShapeError>(
      [&] { call({.min_rank = 2}, {{2}}); },
      "Input 0 of layer picky_1 is incompatible with the layer: : expected min_ndim=2, found ndim=1. "
      "Full shape received: [2]");
  expect_error<ShapeError>(
      [&] {
        call({.axes = {{-1, 784}}}, {{2, 100}});
      },
      "Input 0 of layer picky_2 is incompatible with the layer: expected axis -1 of input shape to "
      "have value 784 but received input with shape [2, 100]");
  expect_error<DtypeError>(
      [&] {
        call({.dtype = Dtype::float32}, {{2}, Dtype::int32});
      },
      "Input 0 of layer picky_3 is incompatible with the layer: expected dtype=float32, found "
      "dtype=int32");
  call({.rank = 2, .min_rank = 1, .axes = {{0, 2}, {-1, 3}}, .dtype = Dtype::int32}, {{2, 3}, Dtype::int32});
}

TEST_F(LayerTest, CastsFloatingInputsToItsDtype) {
  const LayerRef layer = make_layer<Picky>(InputSpec{});
  EXPECT_EQ(layer(ops::zeros({1}, Dtype::float64)).dtype(), Dtype::float32);
  EXPECT_EQ(layer(ops::zeros({1}, Dtype::int64)).dtype(), Dtype::int64);
}

}  // namespace
}  // namespace strata
