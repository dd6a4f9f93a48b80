// SPDX-License-Identifier: Apache-2.0
// Dtype policies: what layers compute in, what they keep, and how a model trains under them.
#include <gtest/gtest.h>

#include <cmath>

#include "core/base/error.h"
#include "core/program/autodiff.h"
#include "strata/strata.h"
#include "tests/support/expect_error.h"
#include "tests/support/golden_values.h"
#include "tests/support/ranks.h"

namespace strata {
namespace {

constexpr double kBfloat16Epsilon = 0x1p-8;  // by how much rounding moves a number at most, relative to it

class MixedPrecision : public ::testing::Test {
 private:
  Session session_;
  SessionScope scope_{session_};
};

TEST_F(MixedPrecision, PoliciesHaveTheNamesOfKeras) {
  struct Expected {
    const char* name;
    Dtype compute, variable;
  };
  for (const auto& [name, compute, variable] : {Expected{"float32", Dtype::float32, Dtype::float32},
                                                {"float64", Dtype::float64, Dtype::float64},
                                                {"float16", Dtype::float16, Dtype::float16},
                                                {"bfloat16", Dtype::bfloat16, Dtype::bfloat16},
                                                {"mixed_float16", Dtype::float16, Dtype::float32},
                                                {"mixed_bfloat16", Dtype::bfloat16, Dtype::float32}}) {
    const DtypePolicy policy(name);
    EXPECT_EQ(policy.compute_dtype(), compute);
    EXPECT_EQ(policy.variable_dtype(), variable);
    EXPECT_EQ(policy.name(), name);
    EXPECT_EQ(DtypePolicy::from_config(policy.config()), policy);
    const Config keras = Config::object(
        {{"module", "keras"}, {"class_name", "DTypePolicy"}, {"config", Config::object({{"name", name}})}});
    EXPECT_EQ(DtypePolicy::from_config(keras), policy);
  }
  EXPECT_EQ(DtypePolicy::from_config(Config()), std::nullopt);
}

TEST_F(MixedPrecision, RefusesUnknownPolicies) {
  for (const std::string name : {"mixed_float32", "mixed_", "half", ""}) {
    testing::expect_error<ConfigError>(
        [&] { DtypePolicy policy(name); },
        "Cannot convert '" + name +
            "' to a mixed precision DTypePolicy. Valid policies include 'mixed_float16', 'mixed_bfloat16', and the "
            "name of any float dtype such as 'float32'.");
  }
  testing::expect_error<ConfigError>(
      [] {
        DtypePolicy::from_config(Config::from_json(
            R"({"class_name": "QuantizedDTypePolicy", "config": {"mode": "int8", "source_name": "float32"}})"));
      },
      "Unknown dtype policy: expected the class DTypePolicy, received {\"class_name\": \"QuantizedDTypePolicy\", "
      "\"config\": {\"mode\": \"int8\", \"source_name\": \"float32\"}}");
}

TEST_F(MixedPrecision, ThePolicyOfTheSessionIsThatOfLayersGivenNone) {
  set_dtype_policy("mixed_bfloat16");
  const layers::Dense mixed(2), own(2, {.dtype = "float32"});
  EXPECT_EQ(mixed.layer().dtype_policy(), DtypePolicy("mixed_bfloat16"));
  EXPECT_EQ(own.layer().dtype_policy(), DtypePolicy("float32"));
  EXPECT_EQ(Input({3}).dtype(), Dtype::float32) << "inputs follow the default dtype";
  EXPECT_EQ(mixed(Input({3})).dtype(), Dtype::bfloat16);
  clear_session();
  EXPECT_EQ(dtype_policy(), DtypePolicy("float32"));
}

TEST_F(MixedPrecision, DenseMultipliesInTheHalfTypeOnFloat32Weights) {
  const layers::Dense dense(2, {.dtype = "mixed_bfloat16"});
  const Tensor x = constant({1.0f / 3.0f, 2.0f}, {1, 2});
  dense(x);
  dense.set_weights({constant({1.001f, 0.5f, 0.25f, -1.0f / 7.0f}, {2, 2}), constant({0.1f, 0.2f}, {2})});
  const auto half = [](const Tensor& t) { return ops::cast(t, Dtype::bfloat16); };
  const Tensor expected = ops::matmul(half(x), half(dense.get_weights()[0])) + half(dense.get_weights()[1]);
  EXPECT_EQ(dense.weights()[0].spec().dtype, Dtype::float32);
  EXPECT_EQ(ops::cast(dense(x), Dtype::float32).to_vector<float>(),
            ops::cast(expected, Dtype::float32).to_vector<float>());
}

/// Reads its weights in every way there is.
class Reader final : public Layer {
 public:
  using Layer::Layer;
  std::string class_name() const override { return "Reader"; }
  void build(const Shape&) override {
    cast_ = add_weight("cast", {1});
    kept_ = add_weight("kept", {1}, {.autocast = false});
    count_ = add_weight("count", {1}, {.initializer = "zeros", .dtype = Dtype::int64});
  }
  std::vector<Tensor> call_many(const std::vector<Tensor>& inputs, CallContext&) override {
    return {inputs[0], cast_, kept_, count_, cast_.value()};
  }
  using Layer::set_autocast;

 private:
  Variable cast_, kept_, count_;
};

std::vector<Dtype> dtypes_read(const DtypePolicy& policy, bool autocast = true) {
  const auto layer = std::make_shared<Reader>(LayerOptions{.dtype = policy});
  layer->set_autocast(autocast);
  std::vector<Dtype> dtypes;
  for (const Tensor& t : LayerRef(layer).call({constant({1.0f}, {1, 1})})) dtypes.push_back(t.dtype());
  return dtypes;
}

TEST_F(MixedPrecision, WeightsAreReadInTheComputeDtype) {
  constexpr Dtype kWide = Dtype::float32, kHalf = Dtype::float16, kCount = Dtype::int64;
  EXPECT_EQ(dtypes_read("mixed_float16"), (std::vector{kHalf, kHalf, kWide, kCount, kWide}));
  EXPECT_EQ(dtypes_read("mixed_float16", false), (std::vector{kWide, kWide, kWide, kCount, kWide}));
  EXPECT_EQ(dtypes_read("float32"), (std::vector{kWide, kWide, kWide, kCount, kWide}));
}

class WideWeight final : public Layer {
 public:
  using Layer::Layer;
  std::string class_name() const override { return "WideWeight"; }
  void build(const Shape&) override { weight_ = add_weight("weight", {1}, {.dtype = Dtype::float64}); }
  Tensor call(const Tensor&, CallContext&) override { return weight_; }

 private:
  Variable weight_;
};

TEST_F(MixedPrecision, OutsideOfItAWeightKeepsTheDtypeItWasGiven) {
  const auto output = [](const DtypePolicy& policy) {
    const Tensor x = Input({.batch_shape = {1, 1}});
    return LayerRef(std::make_shared<Functional>(
        std::vector{x}, std::vector{make_layer<WideWeight>(LayerOptions{.dtype = policy})(x)}))(
               constant({1.0f}, {1, 1}))
        .dtype();
  };
  EXPECT_EQ(output("float32"), Dtype::float64);
  EXPECT_EQ(output("mixed_bfloat16"), Dtype::bfloat16);
}

/// A layer that calls another one of a policy of its own.
class Outer final : public Layer {
 public:
  Outer() : Layer({.dtype = "mixed_bfloat16"}) {}
  std::string class_name() const override { return "Outer"; }
  void build(const Shape&) override { scale_ = add_weight("scale", {1}); }
  std::vector<Tensor> call_many(const std::vector<Tensor>& inputs, CallContext&) override {
    std::vector<Tensor> read = inner_.call(inputs);
    read.push_back(scale_);
    return read;
  }

 private:
  LayerRef inner_ = track(make_layer<Reader>(LayerOptions{.dtype = "float32"}));
  Variable scale_;
};

TEST_F(MixedPrecision, ALayerWithinAnotherReadsInItsOwnDtype) {
  const auto read = make_layer<Outer>().call({constant({1.0f}, {1, 1})});
  EXPECT_EQ(read[0].dtype(), Dtype::float32);
  EXPECT_EQ(read[1].dtype(), Dtype::float32);
  EXPECT_EQ(read[5].dtype(), Dtype::bfloat16);
}

TEST_F(MixedPrecision, BatchNormalizationKeepsItsStatisticsInFloat32) {
  const layers::BatchNormalization layer({.dtype = "mixed_float16"});
  const Tensor x = ops::random_normal({constant<std::int64_t>({1, 0, 0}, {3}), 1}, {64, 3}, 300.0, 100.0);
  const Tensor y = layer(x, {.training = true});
  EXPECT_EQ(y.dtype(), Dtype::float16);
  const Tensor squares = ops::mean(ops::square(ops::cast(y, Dtype::float32)));
  EXPECT_NEAR(squares.item<float>(), 1.0f, 0.01f) << "sums of squares beyond 65504 do not overflow";
  for (const Variable& weight : layer.weights()) EXPECT_EQ(weight.spec().dtype, Dtype::float32);
}

TEST_F(MixedPrecision, AnEmbeddingGathersBeforeItCasts) {
  const layers::Embedding layer(5, 3, {.dtype = "mixed_bfloat16"});
  const Tensor y = layer(constant<std::int32_t>({1, 4}, {2}));
  EXPECT_EQ(y.dtype(), Dtype::bfloat16);
  const Gradient gradient = gradients({y}, {layer.weights()[0].value()})[0];
  EXPECT_TRUE(gradient.is_rows());
  EXPECT_EQ(gradient.values.spec(), (TensorSpec{{2, 3}, Dtype::float32}));
}

TEST_F(MixedPrecision, PredictsInTheComputeDtypeAndTakesHalvesAsData) {
  const Tensor inputs = Input({3});
  Model model(inputs, layers::Dense(2, {.dtype = "mixed_float16"})(inputs));
  model.compile({.optimizer = "sgd", .loss = "mse", .metrics = {"mae"}});
  const Tensor x = constant(std::vector<float>(12, 0.5f), {4, 3}), y = constant(std::vector<float>(8, 0.25f), {4, 2});
  const auto half = [](const Tensor& t) { return ops::cast(t, Dtype::bfloat16); };
  EXPECT_EQ(model.predict(x).dtype(), Dtype::float16);
  EXPECT_EQ(model.test_on_batch(x, y), model.test_on_batch(half(x), half(y))) << "numbers that both types hold";
}

struct Trained {
  std::vector<double> losses;
  std::vector<float> weights;
};

/// Some steps of a small classifier; `policy` is that of all layers but the last, which computes in float32, as Keras'
/// guide has it.
Trained train(const std::string& policy, Communicator& communicator, Dim blocks, int steps = 20) {
  Session::current().set_seed(3);
  set_dtype_policy(policy);
  const Tensor inputs = Input({16});
  Tensor x = layers::Dense(32, {.activation = "relu"})(inputs);
  x = layers::BatchNormalization()(x);
  x = layers::Dense(10)(x);
  Model model(inputs, layers::Activation("softmax", {.dtype = "float32"})(x));
  model.compile({.optimizer = optimizers::Adam({.learning_rate = 0.01}),
                 .loss = losses::SparseCategoricalCrossentropy(),
                 .metrics = {"accuracy"},
                 .communicator = std::shared_ptr<Communicator>(&communicator, [](Communicator*) {})});
  const Tensor data = ops::random_normal({constant<std::int64_t>({1, 0, 0}, {3}), 1}, {48, 16}, 0.0, 1.0);
  const Tensor labels = ops::argmax(ops::slice(data, {0, 0}, {None, 10}), -1);
  Trained result;
  for (int step = 0; step < steps; ++step) {
    result.losses.push_back(model.train_on_batch(data, labels, {.blocks = blocks}).at(0));
  }
  for (const Variable& weight : model.weights()) {
    for (const float value : ops::cast(weight, Dtype::float32).to_vector<float>()) result.weights.push_back(value);
  }
  return result;
}

Trained train(const std::string& policy, int ranks, Dim blocks) {
  Trained result;
  testing::run_ranks(ranks, [&](Communicator& communicator) {
    const Trained own = train(policy, communicator, blocks);
    if (communicator.rank() == 0) result = own;
  });
  return result;
}

TEST_F(MixedPrecision, TrainsAlmostAsFloat32Does) {
  const Trained full = train("float32", 1, 1), mixed = train("mixed_bfloat16", 1, 1);
  EXPECT_LT(mixed.losses.back(), 0.5 * mixed.losses.front());
  for (std::size_t i = 0; i < full.losses.size(); ++i) {
    // Every step adds roundings of that size; the loss has learnt to within ten of them.
    EXPECT_NEAR(mixed.losses[i], full.losses[i], 10 * kBfloat16Epsilon * full.losses[i]) << "step " << i;
  }
  EXPECT_NE(mixed.weights, full.weights);
}

TEST_F(MixedPrecision, TrainsToTheSameBitsOnOneRankAndOnThree) {
  for (const char* policy : {"mixed_bfloat16", "mixed_float16", "bfloat16"}) {
    const Trained one = train(policy, 1, 3), three = train(policy, 3, 3);
    EXPECT_EQ(one.losses, three.losses) << policy;
    EXPECT_EQ(one.weights, three.weights) << policy;
  }
}

Model golden_model(const std::string& policy) {
  const Tensor inputs = Input({6}, {.name = "inputs"});
  Tensor x = layers::Dense(8, {.activation = "relu", .name = "first", .dtype = policy})(inputs);
  x = layers::BatchNormalization({.name = "normalized", .dtype = policy})(x);
  x = layers::Dense(3, {.name = "scores", .dtype = policy})(x);
  return {inputs, layers::Softmax(-1, {.name = "probabilities", .dtype = "float32"})(x)};
}

void set_weights(const Model& model, const nlohmann::json& values) {
  const auto weights = model.weights();
  ASSERT_EQ(weights.size(), values.size());
  for (std::size_t i = 0; i < weights.size(); ++i) weights[i].assign(testing::golden_tensor(values[i]));
}

TEST_F(MixedPrecision, TrainsAsKeras) {
  const auto golden = testing::read_golden("mixed_precision_fits.json");
  const Tensor x = testing::golden_tensor(golden.at("x")), y = testing::golden_tensor(golden.at("y"));
  for (const auto& fit : golden.at("fits")) {
    const std::string policy = fit.at("policy");
    SCOPED_TRACE(policy);
    Model model = golden_model(policy);
    ASSERT_NO_FATAL_FAILURE(set_weights(model, golden.at("start")));
    model.compile({.optimizer = optimizers::SGD({.learning_rate = 0.25}), .loss = "sparse_categorical_crossentropy"});
    // In float16 both round the same numbers. In bfloat16 TensorFlow also rounds while it sums up a bias' gradient.
    // Under float32 the weights would be off by twice the one tolerance and six times the other.
    const double tolerance = policy == "mixed_bfloat16" ? kBfloat16Epsilon / 2 : 2e-5;
    for (const double loss : fit.at("losses")) {
      EXPECT_NEAR(model.train_on_batch(x, y).at(0), loss, tolerance);
    }
    const auto weights = model.weights();
    for (std::size_t i = 0; i < weights.size(); ++i) {
      SCOPED_TRACE(weights[i].path());
      testing::expect_close(weights[i], testing::golden_tensor(fit.at("weights")[i]), tolerance, tolerance);
    }
    testing::expect_close(model.predict(x), testing::golden_tensor(fit.at("predictions")), tolerance, tolerance);
  }
}

}  // namespace
}  // namespace strata
