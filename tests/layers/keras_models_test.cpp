// SPDX-License-Identifier: Apache-2.0
// Whole models against what real Keras computed and named.
#include <gtest/gtest.h>

#include "core/model/functional.h"
#include "core/model/session.h"
#include "core/program/autodiff.h"
#include "layers/layers.h"
#include "tests/support/golden_values.h"

namespace strata {
namespace {

using testing::expect_close;
using testing::golden_tensor;

class KerasModels : public ::testing::Test {
  Session session_;
  SessionScope scope_{session_};
};

void set_weights(const Functional& model, const nlohmann::json& golden) {
  const auto weights = model.weights();
  ASSERT_EQ(weights.size(), golden.size());
  for (std::size_t i = 0; i < weights.size(); ++i) {
    EXPECT_EQ(weights[i].path(), golden[i].at("name").get<std::string>());
    weights[i].assign(golden_tensor(golden[i]));
  }
}

TEST_F(KerasModels, ThreeDenseLayers) {
  const auto golden = testing::read_golden("dense_model.json");
  const Tensor input = Input({6});
  Tensor x = input;
  for (const auto& layer : golden.at("layers")) {
    const std::string activation = layer.at("activation"), name = layer.at("name");
    x = layers::Dense(layer.at("units").get<Dim>(), {.activation = activation, .name = name})(x);
  }
  const auto model = std::make_shared<Functional>(std::vector{input}, std::vector{x});
  set_weights(*model, golden.at("weights"));
  const Tensor predictions = LayerRef(model)(golden_tensor(golden.at("x")));
  expect_close(predictions, golden_tensor(golden.at("predictions")), 1e-5, 1e-6);
  const Tensor loss = ops::mean(ops::sparse_softmax_cross_entropy(predictions, golden_tensor(golden.at("y"))));
  EXPECT_NEAR(loss.item<float>(), golden.at("loss").get<double>(), 1e-5);
  std::vector<Tensor> sources;
  for (const Variable& weight : model->weights()) sources.push_back(weight);
  const auto derivatives = gradients({loss}, sources);
  for (std::size_t i = 0; i < sources.size(); ++i) {
    SCOPED_TRACE(model->weights()[i].path());
    expect_close(dense(derivatives[i], sources[i]), golden_tensor(golden.at("gradients")[i]), 1e-5, 1e-6);
  }
}

/// Two inputs of different rank, every merge layer, a sum that broadcasts, two outputs.
std::shared_ptr<Functional> merge_model() {
  const Tensor left = Input({4}, {.name = "left"}), right = Input({2, 3}, {.name = "right"});
  const Tensor wide = layers::Dense(6, {.activation = "tanh", .name = "wide"})(left);
  const Tensor flat = layers::Flatten({.name = "flat"})(right);
  const Tensor total = layers::add({wide, flat}, {.name = "total"});
  const Tensor mean = layers::average({wide, flat, total}, {.name = "mean"});
  const Tensor both = layers::concatenate({total, mean}, -1, {.name = "both"});
  const Tensor square = layers::Reshape({3, 4}, {.name = "square"})(both);
  const Tensor row = layers::Reshape({1, 4}, {.name = "row"})(left);
  const Tensor shifted = layers::add({square, row}, {.name = "shifted"});
  const Tensor mixed = layers::Dense(4, {.name = "mixed"})(shifted);
  const Tensor stacked = layers::concatenate({mixed, row}, 1, {.name = "stacked"});
  const Tensor squashed = layers::Activation("sigmoid", {.name = "squashed"})(stacked);
  const Tensor features = layers::Flatten({.name = "features"})(squashed);
  const Tensor kind = layers::Dense(3, {.name = "kind"})(features);
  const Tensor score = layers::Dense(1, {.activation = "sigmoid", .name = "score"})(features);
  return std::make_shared<Functional>(std::vector{left, right}, std::vector{kind, score});
}

TEST_F(KerasModels, MergesOrderNamesAndShapes) {
  const auto golden = testing::read_golden("merge_model.json");
  const auto model = merge_model();
  EXPECT_EQ(model->input_names(), golden.at("input_names").get<std::vector<std::string>>());
  EXPECT_EQ(model->output_names(), golden.at("output_names").get<std::vector<std::string>>());
  std::vector<std::string> names;
  for (const LayerRef& layer : model->layers()) {
    names.push_back(layer.name());
    const auto shape = golden.at("output_shapes").at(layer.name());
    EXPECT_EQ(layer.output_shape(), Config::from_json(shape.dump()).as_shape()) << layer.name();
  }
  EXPECT_EQ(names, golden.at("layer_names").get<std::vector<std::string>>());
}

TEST_F(KerasModels, MergesValues) {
  const auto golden = testing::read_golden("merge_model.json");
  const auto model = merge_model();
  set_weights(*model, golden.at("weights"));
  const auto& x = golden.at("x");
  const auto outputs = LayerRef(model).call({golden_tensor(x[0]), golden_tensor(x[1])});
  ASSERT_EQ(outputs.size(), 2u);
  for (std::size_t i = 0; i < 2; ++i) expect_close(outputs[i], golden_tensor(golden.at("predictions")[i]), 1e-5, 1e-6);
}

}  // namespace
}  // namespace strata
