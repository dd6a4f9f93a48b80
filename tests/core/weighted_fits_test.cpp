// SPDX-License-Identifier: Apache-2.0
// Training with masks, class weights, weights of positions and every reduction, against real Keras.
#include <gtest/gtest.h>

#include "core/base/error.h"
#include "strata/strata.h"
#include "tests/support/expect_error.h"
#include "tests/support/golden_values.h"

namespace strata {
namespace {

using testing::expect_error;
using testing::golden_tensor;
using testing::read_golden;

Model masked_model() {
  auto ids = Input({4}, {.dtype = Dtype::int32});
  Tensor x = layers::Embedding(6, 3, {.mask_zero = true})(ids);
  x = layers::Dense(5, {.activation = "tanh"})(x);
  return Model(ids, layers::Dense(3)(x), "masked_model");
}

Model dense_model() {
  auto inputs = Input({6});
  Tensor x = layers::Dense(5, {.activation = "relu"})(inputs);
  x = layers::Dense(4, {.activation = "tanh"})(x);
  return Model(inputs, layers::Dense(3)(x), "dense_model");
}

Model golden_model(const nlohmann::json& golden, const std::string& name) {
  Model model = name == "masked_model" ? masked_model() : dense_model();
  const auto weights = model.weights();
  for (std::size_t i = 0; i < weights.size(); ++i) weights[i].assign(golden_tensor(golden.at("start").at(name)[i]));
  return model;
}

TEST(WeightedFits, TrainAsInKeras) {
  const auto golden = read_golden("weighted_fits.json");
  for (const auto& c : golden.at("cases")) {
    SCOPED_TRACE(c.at("name").get<std::string>());
    const std::string name = c.at("model");
    Model model = golden_model(golden, name);
    model.compile({.optimizer = optimizers::SGD({.learning_rate = 0.1}),
                   .loss = losses::SparseCategoricalCrossentropy(
                       {.from_logits = true, .reduction = reduction_from_string(c.at("reduction").get<std::string>())}),
                   .metrics = {"accuracy"},
                   .weighted_metrics = {"accuracy"}});
    FitOptions options{.batch_size = 4, .epochs = 2, .verbose = 0, .validation_split = 0.2, .shuffle = false};
    if (c.contains("sample_weight")) options.sample_weight = golden_tensor(c.at("sample_weight"));
    for (const auto& pair : c.value("class_weight", nlohmann::json::array())) {
      options.class_weight[pair[0].get<std::int64_t>()] = pair[1];
    }
    const bool masked = name == "masked_model";
    const History history = model.fit(golden_tensor(golden.at(masked ? "ids" : "x")),
                                      golden_tensor(golden.at(masked ? "labels" : "y")), options);
    for (const auto& [key, values] : c.at("history").items()) {
      for (std::size_t e = 0; e < values.size(); ++e) {
        const double expected = values[e];
        EXPECT_NEAR(history.at(key)[e], expected, 2e-6 * std::max(1.0, expected)) << key << " of epoch " << e;
      }
    }
    const auto weights = model.weights();
    for (std::size_t i = 0; i < weights.size(); ++i) {
      testing::expect_close(weights[i], golden_tensor(c.at("weights")[i]), 1e-5, 1e-6);
    }
  }
  EXPECT_EQ(golden.at("cases").size(), 7u);
}

TEST(WeightedFits, WeightsThatDoNotFitAreErrors) {
  Model model = dense_model();
  model.compile({.loss = "sparse_categorical_crossentropy"});
  const Tensor x = ops::ones({4, 6}), y = ops::zeros({4}, Dtype::int32);
  expect_error<ShapeError>(
      [&] {
        model.fit(x, y, {.verbose = 0, .sample_weight = ops::ones({4, 2})});
      },
      "sparse_categorical_crossentropy: sample_weight of shape (4, 2) does not fit values of "
      "shape (4,)");
  expect_error<ConfigError>(
      [&] {
        model.fit(x, y, {.verbose = 0, .sample_weight = ops::ones({4}), .class_weight = {{0, 2.0}}});
      },
      "You cannot `class_weight` and `sample_weight` at the same time.");
}

TEST(Objective, LossesWeightsAndMetricsByName) {
  const std::vector<std::string> outputs{"a", "b"};
  const Objective objective =
      make_objective(outputs, {{"b", "mse"}}, {{"b", 0.5}},
                     {{"a", {"mae"}}, {"b", {"mae", metrics::MeanAbsoluteError("mae")}}}, {"mae"});
  EXPECT_FALSE(objective.losses[0]);
  EXPECT_EQ(objective.losses[1]->class_name(), "MeanSquaredError");
  EXPECT_EQ(objective.loss_weights, (std::vector<double>{1.0, 0.5}));
  std::vector<std::string> names;
  for (const OutputMetric& metric : objective.metrics) names.push_back(metric.name);
  EXPECT_EQ(names, (std::vector<std::string>{"a_mae", "b_mae", "b_mae_1", "a_weighted_mae", "b_weighted_mae"}));
  expect_error<ConfigError>(
      [&] {
        make_objective(outputs, {{"c", "mse"}}, {}, {}, {});
      },
      "Unknown entries in loss dictionary: ['c']. Only expected following keys: ['a', 'b']");
  EXPECT_THROW(make_objective(outputs, {"mse"}, {}, {}, {}), ConfigError);
  EXPECT_THROW(make_objective(outputs, "mse", {1.0}, {}, {}), ConfigError);
  EXPECT_EQ(make_objective(outputs, {"mse", "mae"}, {2.0, 3.0}, {}, {}).losses[1]->name(), "mean_absolute_error");
}

TEST(Metric, OneThatHasSeveralValuesCannotBeShown) {
  Model model = dense_model();
  model.compile({.loss = "mse", .metrics = {metrics::F1Score()}});
  EXPECT_THROW(model.evaluate(ops::ones({4, 6}), ops::ones({4, 3}), {.verbose = 0}), ConfigError);
}

TEST(Metric, MeanAndSumOfValues) {
  metrics::Mean mean;
  mean.update_state(constant({1.0f, 3.0f, 5.0f, 7.0f}, {4}), constant({1.0f, 1.0f, 0.0f, 0.0f}, {4}));
  mean.update_state(scalar(5.0));
  EXPECT_DOUBLE_EQ(mean.result(), 3.0);
  metrics::Sum sum;
  sum.update_state(constant({1.0f, 3.0f}, {2}), constant({0.5f, 2.0f}, {2}));
  EXPECT_DOUBLE_EQ(sum.result(), 6.5);
  sum.reset_state();
  EXPECT_DOUBLE_EQ(sum.result(), 0.0);
}

TEST(Callbacks, ReachTheModelFromFit) {
  Model model = dense_model();
  model.compile({.optimizer = optimizers::SGD({.learning_rate = 0.5}), .loss = "mse", .metrics = {"accuracy"}});
  const Tensor x = ops::ones({8, 6}), y = ops::ones({8, 3});
  std::vector<std::vector<float>> biases;
  const auto bias = [&] { return model.get_weights()[5].to_vector<float>(); };
  // A loss that rises from the second epoch on: training stops, and the weights of the first come back.
  const auto raise = callbacks::LambdaCallback({.on_epoch_end = [&](int epoch, Logs& logs) {
    biases.push_back(bias());
    set_log(logs, "loss", epoch);
  }});
  const auto stopping = std::make_shared<callbacks::EarlyStopping>(
      callbacks::EarlyStoppingOptions{.monitor = "loss", .patience = 2, .restore_best_weights = true});
  const History history = model.fit(
      x, y,
      {.epochs = 9, .verbose = 0, .callbacks = {raise, stopping, callbacks::LearningRateScheduler([](int, double rate) {
                                                  return rate / 2.0;
                                                })}});
  EXPECT_EQ(history.epoch.size(), 3u);
  EXPECT_EQ(history.at("learning_rate"), (std::vector<double>{0.25, 0.125, 0.0625}));
  EXPECT_EQ(stopping->stopped_epoch(), 2);
  EXPECT_EQ(bias(), biases[0]);
  EXPECT_NE(biases[2], biases[0]);
}

TEST(Weights, AreSetInOrderOrByName) {
  Model model = dense_model();
  const auto before = model.get_weights();
  std::vector<Tensor> doubled;
  for (const Tensor& weight : before) doubled.push_back(weight * 2.0);
  model.set_weights(doubled);
  EXPECT_EQ(model.get_weights()[0].to_vector<float>(), doubled[0].to_vector<float>());
  EXPECT_THROW(model.set_weights({doubled[0]}), ConfigError);
  doubled[1] = ops::ones({7});
  EXPECT_THROW(model.set_weights(doubled), ShapeError);
  const auto names = model.named_weights();
  const Tensor zeros = ops::zeros(names[0].variable.shape());
  const auto others = model.set_weights_by_name({{names[0].name, zeros}, {"elsewhere/kernel", zeros}});
  EXPECT_EQ(others.size(), names.size() - 1);
  EXPECT_EQ(model.get_weights()[0].to_vector<float>(), zeros.to_vector<float>());
  EXPECT_THROW(model.set_weights_by_name({{names[0].name, ops::ones({2})}}), ShapeError);
  EXPECT_EQ(model.set_weights_by_name({{names[0].name, ops::ones({2})}}, true).size(), names.size());
}

}  // namespace
}  // namespace strata
