// SPDX-License-Identifier: Apache-2.0
// The guide's layers and models of one's own, which the examples show, compute what real Keras computes.
#include <gtest/gtest.h>

#include "core/model/session.h"
#include "core/training/model.h"
#include "layers/layers.h"
#include "tests/support/custom_dense.h"
#include "tests/support/golden_noise.h"
#include "tests/support/golden_values.h"

namespace strata {
namespace {

using testing::golden_tensor;

class MLP : public SubclassedModel {
 public:
  std::string class_name() const override { return "MLP"; }
  Tensor call(const Tensor& inputs, CallContext&) override { return dense_2_(dense_1_(inputs)); }

 private:
  LayerRef dense_1_ = track(layers::Dense(64, {.activation = "relu"}));
  LayerRef dense_2_ = track(layers::Dense(10));
};

class CustomRNN : public Layer {
 public:
  CustomRNN(Dim units, const LayerRef& classifier) : units_(units), classifier_(track(classifier)) {}
  std::string class_name() const override { return "CustomRNN"; }
  Tensor call(const Tensor& inputs, CallContext&) override {
    std::vector<Tensor> outputs;
    Tensor state = ops::zeros({inputs.shape()[0], units_});
    for (Dim t = 0; t < inputs.shape()[1]; ++t) {
      const Tensor x = ops::squeeze(ops::slice(inputs, {0, t, 0}, {None, t + 1, None}), {1});
      state = projection_1_(x) + projection_2_(state);
      outputs.push_back(state);
    }
    return classifier_(ops::stack(outputs, 1));
  }

 private:
  Dim units_;
  LayerRef projection_1_ = track(layers::Dense(units_, {.activation = "tanh"}));
  LayerRef projection_2_ = track(layers::Dense(units_, {.activation = "tanh"}));
  LayerRef classifier_;
};

/// Compares the case `name` of the golden file.
void expect_as_keras(const std::string& name, const LayerRef& model) {
  const auto golden = testing::read_golden("guide_own_models.json").at("cases");
  const auto found = std::find_if(golden.begin(), golden.end(), [&](const auto& c) { return c.at("name") == name; });
  ASSERT_NE(found, golden.end()) << name;
  const Tensor x = testing::noise(Shape(found->at("x").get<std::vector<Dim>>()), 1.0);
  model(x);
  EXPECT_EQ(model.count_params(), found->at("params").get<Dim>());
  for (const Variable& variable : model.weights()) variable.assign(testing::noise_weight(variable.shape()));
  testing::expect_close(model(x), golden_tensor(found->at("y")), 1e-5, 1e-6);
}

class GuideOwnModels : public ::testing::Test {
  Session session_;
  SessionScope scope_{session_};
};

TEST_F(GuideOwnModels, CustomDense) {
  auto inputs = Input({4});
  expect_as_keras("custom_dense", Model(inputs, make_layer<testing::CustomDense>(10)(inputs)));
}

TEST_F(GuideOwnModels, Mlp) { expect_as_keras("mlp", make_model<MLP>()); }

TEST_F(GuideOwnModels, CustomRnnWithAFunctionalModelInside) {
  auto features = Input({None, 32});
  Model classifier(features, layers::Dense(1)(layers::GlobalAveragePooling1D()(features)));
  expect_as_keras("custom_rnn", make_layer<CustomRNN>(32, classifier));
}

TEST_F(GuideOwnModels, CustomRnnInsideAFunctionalModel) {
  auto inputs = Input({.batch_shape = {16, 10, 5}});
  const Tensor x = layers::Conv1D(32, 3)(inputs);
  expect_as_keras("custom_rnn_inside", Model(inputs, make_layer<CustomRNN>(32, layers::Dense(1))(x)));
}

}  // namespace
}  // namespace strata
