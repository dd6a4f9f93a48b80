// SPDX-License-Identifier: Apache-2.0
// Models from their descriptions: ours in both dialects, and those that only others write.
#include <gtest/gtest.h>

#include "core/base/error.h"
#include "core/model/session.h"
#include "core/training/model.h"
#include "layers/layers.h"
#include "tests/support/expect_error.h"

namespace strata {
namespace {

using testing::expect_error_with;

class ModelReader : public ::testing::TestWithParam<ConfigDialect> {
 protected:
  ModelReader() : dialect_(GetParam()) {}

 private:
  Session session_;
  SessionScope scope_{session_};
  ConfigDialectScope dialect_;
};

/// Reading what was written describes the same model, and computes the same with the same weights.
void expect_round_trip(const Model& model, const std::vector<Tensor>& inputs) {
  const std::string json = model.to_json();
  const Model again = model_from_json(json);
  EXPECT_EQ(again.to_json(), json);
  again.set_weights(model.get_weights());
  const auto expected = model.call(inputs), received = again.call(inputs);
  ASSERT_EQ(received.size(), expected.size());
  for (std::size_t i = 0; i < expected.size(); ++i) {
    EXPECT_EQ(received[i].to_vector<float>(), expected[i].to_vector<float>());
  }
}

Tensor numbers(const Shape& shape) {
  std::vector<float> values(static_cast<std::size_t>(shape.elements()));
  for (std::size_t i = 0; i < values.size(); ++i) values[i] = static_cast<float>(i * 7 % 11) / 11.0F - 0.4F;
  return constant(values, shape);
}

TEST_P(ModelReader, SharedLayersAndSeveralOutputs) {
  const Tensor a = Input({4}, {.name = "a"}), b = Input({4}, {.name = "b"});
  const layers::Dense shared(3);
  const Tensor both = layers::concatenate({shared(b), shared(a)});
  const Model model({a, b}, {layers::Dense(1)(both), shared(layers::Dense(4)(a))});
  expect_round_trip(model, {numbers({2, 4}), numbers({2, 4})});
}

TEST_P(ModelReader, ModelsWithinModelsCalledTwice) {
  const Tensor start = Input({3});
  const Model inner(start, layers::Dense(3, {.activation = "tanh"})(start), "inner");
  const Sequential chain({Input({3}), layers::Dense(2)}, "chain");
  const Tensor x = Input({3}, {.name = "x"});
  const Tensor once = inner(x), twice = inner(once);
  expect_round_trip(Model({x}, {chain(twice), once, chain(once)}), {numbers({2, 3})});
}

TEST_P(ModelReader, ACallWhoseOutputOnlyLeavesTheModel) {
  const Tensor start = Input({3});
  const Model inner(start, layers::Dense(3)(start), "inner");
  const Tensor x = Input({3}, {.name = "x"}), y = Input({3}, {.name = "y"});
  const Tensor first = inner(x), second = inner(y);
  expect_round_trip(Model({x, y}, {first, layers::Dense(2)(second)}), {numbers({2, 3}), numbers({2, 3}) * 2.0});
}

TEST_P(ModelReader, StatesAndKeywords) {
  const Tensor source = Input({5, 2}), target = Input({3, 2});
  const auto [out, h, c] = layers::LSTM(4, {.return_state = true}).call<3>({source});
  const Tensor decoded = layers::LSTM(4, {.return_sequences = true})(target, {.initial_state = {h, c}});
  const Tensor seen = layers::MultiHeadAttention(2, 3)({decoded, source}, {.use_causal_mask = true});
  const Tensor fixed = layers::BatchNormalization()(seen, {.training = false});
  expect_round_trip(Model({source, target}, {fixed}), {numbers({2, 5, 2}), numbers({2, 3, 2})});
}

TEST_P(ModelReader, MasksComeByThemselves) {
  const Tensor words = Input({6}, {.dtype = Dtype::int32});
  const Tensor x = layers::Embedding(9, 4, {.mask_zero = true})(words);
  const Model model(words, layers::Bidirectional(layers::GRU(3))(x));
  expect_round_trip(model, {constant<std::int32_t>({1, 2, 3, 0, 0, 0, 4, 5, 6, 7, 8, 0}, {2, 6})});
}

INSTANTIATE_TEST_SUITE_P(Dialects, ModelReader, ::testing::Values(ConfigDialect::keras3, ConfigDialect::keras2),
                         [](const auto& dialect) {
                           return dialect.param == ConfigDialect::keras3 ? "Keras3" : "Keras2";
                         });

class ModelDescription : public ::testing::Test {
  Session session_;
  SessionScope scope_{session_};
};

TEST_F(ModelDescription, ACloneHasTheSameLayersAndNewWeights) {
  const Tensor x = Input({4}, {.name = "x"});
  const Model model(x, layers::Dense(3, {.name = "dense"})(x), "model");
  const Model clone = clone_model(model);
  EXPECT_EQ(clone.get_config(), model.get_config());
  EXPECT_FALSE(clone.get_layer("dense") == model.get_layer("dense"));
  EXPECT_NE(clone.get_weights()[0].to_vector<float>(), model.get_weights()[0].to_vector<float>());
}

TEST_F(ModelDescription, AFrozenModelStaysFrozen) {
  const Tensor x = Input({4});
  const Model model(x, layers::Dense(3)(x));
  model.set_trainable(false);
  EXPECT_TRUE(clone_model(model).trainable_weights().empty());
  EXPECT_FALSE(clone_model(model).trainable());
}

class Doubled : public Layer {
 public:
  std::string class_name() const override { return "Doubled"; }
  Tensor call(const Tensor& input, CallContext&) override { return input * 2.0; }
};

TEST_F(ModelDescription, OwnClassesAreGivenForOnePlace) {
  const Tensor x = Input({4});
  const std::string json = Model(x, make_layer<Doubled>()(x)).to_json();
  expect_error_with<ConfigError>([&] { model_from_json(json); }, "Unknown layer: Doubled");
  const CustomObjects objects = {{"Doubled", [](const Config&) { return make_layer<Doubled>(); }}};
  EXPECT_EQ(model_from_json(json, objects).call({numbers({1, 4})})[0].to_vector<float>(),
            (numbers({1, 4}) * 2.0).to_vector<float>());
  expect_error_with<ConfigError>([&] { model_from_json(json); }, "Unknown layer: Doubled");
}

class Scaled : public Layer {
 public:
  std::string class_name() const override { return "Scaled"; }
  Tensor call(const Tensor& input, CallContext& context) override {
    return input * context.argument("scale", 1.0).as_double();
  }
};

TEST_F(ModelDescription, ArgumentsOfCallsAreKept) {
  const Tensor x = Input({4});
  Config arguments = Config::object({{"scale", 3.0}});
  const Model model(x, make_layer<Scaled>()(x, {.arguments = arguments}));
  const CustomObjects objects = {{"Scaled", [](const Config&) { return make_layer<Scaled>(); }}};
  const Model again = model_from_json(model.to_json(), objects);
  EXPECT_EQ(again.call({numbers({1, 4})})[0].to_vector<float>(), (numbers({1, 4}) * 3.0).to_vector<float>());
}

class Widened : public SubclassedModel {
 public:
  explicit Widened(Dim units) : units_(units), dense_(track(layers::Dense(units))) {}
  std::string class_name() const override { return "Widened"; }
  Config config() const override { return Config::object({{"units", units_}}); }
  Tensor call(const Tensor& input, CallContext&) override { return dense_(input); }

 private:
  Dim units_;
  LayerRef dense_;
};

TEST_F(ModelDescription, ASubclassedModelWithinAFunctionalOneIsClonedAndReadBack) {
  const CustomObjectScope scope(
      {{"Widened", [](const Config& config) { return LayerRef(make_model<Widened>(config.at("units").as_int())); }}});
  const Tensor x = Input({4});
  const Model model(x, make_model<Widened>(5)(x));
  const Model again = model_from_json(model.to_json());
  again.set_weights(model.get_weights());
  const Tensor values = numbers({2, 4});
  EXPECT_EQ(again.call({values})[0].to_vector<float>(), model.call({values})[0].to_vector<float>());
  EXPECT_EQ(clone_model(model).count_params(), 25);
}

TEST_F(ModelDescription, TheFirstLayerOfAnOldSequentialHasTheShape) {
  const Model model = model_from_json(
      R"({"class_name": "Sequential", "config": [{"class_name": "Dense", "config": {"name": "d", "units": 2, )"
      R"("batch_input_shape": [null, 3]}}]})");
  EXPECT_EQ(model.count_params(), 8);
}

TEST_F(ModelDescription, WhatCannotBeAGraphIsRefused) {
  const auto functional = [](const std::string& nodes, const std::string& output) {
    return R"({"class_name": "Functional", "config": {"name": "m", "layers": [{"class_name": "InputLayer", "config": )"
           R"({"batch_shape": [null, 3], "name": "x"}, "name": "x", "inbound_nodes": []}, {"class_name": "Dense", )"
           R"("config": {"units": 2}, "name": "d", "inbound_nodes": )" +
           nodes + R"(}], "input_layers": [["x", 0, 0]], "output_layers": [)" + output + "]}}";
  };
  const std::string good = R"([[["x", 0, 0, {}]]])", end = R"(["d", 0, 0])";
  EXPECT_EQ(model_from_json(functional(good, end)).count_params(), 8);
  const auto refuse = [&](const std::string& nodes, const std::string& output, const std::string& text) {
    expect_error_with<ConfigError>([&] { model_from_json(functional(nodes, output)); }, text);
  };
  refuse(R"([[["d", 0, 0, {}]]])", end, "Calls of these layers wait for inputs that nothing makes: d");
  refuse(R"([[["y", 0, 0, {}]]])", end, "a call refers to the layer \"y\", which the model does not list.");
  refuse(R"([[["x", 0, 2, {}]]])", end, "layer \"x\" has 1 outputs, output 2 is asked for.");
  refuse(R"([[["x", 0, 0, {"speed": 3}]]])", end, "unexpected keyword argument 'speed'");
  refuse(good, R"(["d", 4, 0])", "is called 1 times, output of call 4 is asked for.");
  expect_error_with<ConfigError>([] { model_from_json(R"({"class_name": "Dense", "config": {"units": 2}})"); },
                                 "expected a model, received a layer of class Dense");
}

}  // namespace
}  // namespace strata
