// SPDX-License-Identifier: Apache-2.0
// What the dialect of tf.keras writes into model files. tests/lab/tf_keras_files.py has tf.keras itself read them.
#include <gtest/gtest.h>

#include "strata/strata.h"
#include "tests/support/expect_error.h"
#include "tests/support/files.h"

namespace strata {
namespace {

using testing::expect_error_with;

class Keras2Files : public ::testing::Test {
 protected:
  std::string path(const std::string& name) const { return directory_.path(name); }

  static Model trained_model(const Optimizer& optimizer) {
    clear_session();
    const Tensor input = Input({3});
    const Tensor hidden = layers::Dense(4, {.activation = "relu", .name = "hidden"})(input);
    Model model(input, layers::Dense(2, {.name = "last"})(hidden), "small");
    model.compile({.optimizer = optimizer, .loss = "mse"});
    for (int step = 0; step < 3; ++step) model.train_on_batch(x(), y());
    return model;
  }
  static Tensor x() { return constant<float>({1, -2, 3, 0.5, 0, -1}, {2, 3}); }
  static Tensor y() { return constant<float>({1, 0, -1, 2}, {2, 2}); }

  ModelFile saved(const Model& model) {
    model.save(path("model.h5"), {.dialect = ConfigDialect::keras2});
    return model_file_format().read(path("model.h5"));
  }
  Config optimizer_config(const Optimizer& optimizer) {
    return saved(trained_model(optimizer)).training.at("optimizer_config");
  }

 private:
  Session session_;
  SessionScope scope_{session_};
  testing::TemporaryDirectory directory_;
};

std::vector<std::string> keys(const Config& config) {
  std::vector<std::string> all;
  for (const auto& member : config.as_object()) all.push_back(member.first);
  std::sort(all.begin(), all.end());
  return all;
}

/// The arguments that tf.keras gives every optimizer since TensorFlow 2.11, and those of one.
std::vector<std::string> with_common(std::vector<std::string> own) {
  own.insert(own.end(), {"name", "learning_rate", "weight_decay", "clipnorm", "global_clipnorm", "clipvalue", "use_ema",
                         "ema_momentum", "ema_overwrite_frequency", "jit_compile", "is_legacy_optimizer"});
  std::sort(own.begin(), own.end());
  return own;
}

TEST_F(Keras2Files, OptimizersHaveTheArgumentsOfTfKeras) {
  const std::vector<std::pair<std::string, std::vector<std::string>>> arguments = {
      {"SGD", {"momentum", "nesterov"}},
      {"RMSprop", {"rho", "momentum", "epsilon", "centered"}},
      {"Adam", {"beta_1", "beta_2", "epsilon", "amsgrad"}},
      {"AdamW", {"beta_1", "beta_2", "epsilon", "amsgrad"}},
      {"Adamax", {"beta_1", "beta_2", "epsilon"}},
      {"Nadam", {"beta_1", "beta_2", "epsilon"}},
      {"Adagrad", {"initial_accumulator_value", "epsilon"}},
      {"Adadelta", {"rho", "epsilon"}},
      {"Ftrl",
       {"learning_rate_power", "initial_accumulator_value", "l1_regularization_strength", "l2_regularization_strength",
        "l2_shrinkage_regularization_strength", "beta"}},
      {"Lion", {"beta_1", "beta_2"}},
      {"Adafactor", {"beta_2_decay", "epsilon_1", "epsilon_2", "clip_threshold", "relative_step"}}};
  for (const auto& [name, own] : arguments) {
    const Config config = optimizer_config(name);
    EXPECT_EQ(config.at("class_name"), Config("Custom>" + name));
    EXPECT_EQ(keys(config.at("config")), with_common(own)) << name;
    EXPECT_EQ(config.at("config").at("is_legacy_optimizer"), Config(false));
  }
}

/// tf.keras refuses arguments that a layer does not have, also those that are null.
TEST_F(Keras2Files, LayersHaveTheArgumentsOfTfKeras) {
  const ConfigDialectScope dialect(ConfigDialect::keras2);
  const std::vector<LayerRef> without_seed = {layers::SimpleRNN(2),
                                              layers::LSTM(2),
                                              layers::GRU(2),
                                              layers::LSTMCell(2),
                                              layers::ConvLSTM1D(2, {2}),
                                              layers::MultiHeadAttention(2, 3)};
  for (const LayerRef& layer : without_seed) EXPECT_FALSE(layer.get_config().contains("seed")) << layer.name();
  EXPECT_EQ(layers::LeakyReLU(0.25).get_config().at("alpha"), Config(0.25));
  EXPECT_FALSE(layers::LeakyReLU(0.25).get_config().contains("negative_slope"));
  EXPECT_FALSE(layers::LayerNormalization().get_config().contains("rms_scaling"));
  EXPECT_FALSE(layers::ZeroPadding1D(1).get_config().contains("data_format"));
  EXPECT_TRUE(layers::ZeroPadding2D(1).get_config().contains("data_format"));
  const Config attention = layers::MultiHeadAttention(2, 3).get_config();
  EXPECT_TRUE(attention.at("query_shape").is_null());
  EXPECT_FALSE(attention.contains("use_gate") || attention.contains("sliding_window"));
  const Config lambda = layers::Lambda("relu").get_config();
  EXPECT_EQ(lambda.at("function"), Config("relu"));
  EXPECT_EQ(lambda.at("function_type"), Config("function"));
  EXPECT_EQ(deserialize_layer("Lambda", lambda).get_config(), lambda);
}

TEST_F(Keras2Files, FunctionsAreBareNames) {
  const CustomObjects objects = {{"twice", [](const Tensor& x) { return x * 2.0; }}};
  const CustomObjectScope scope(objects);
  const Tensor input = Input({3});
  const Model model(input, layers::Dense(2, {.activation = "twice", .kernel_regularizer = "twice"})(input));
  const Config layers = saved(model).model.at("config").at("layers");
  EXPECT_EQ(layers.as_list()[1].at("config").at("activation"), Config("twice"));
  EXPECT_EQ(layers.as_list()[1].at("config").at("kernel_regularizer"), Config("twice"));
  EXPECT_EQ(load_model(path("model.h5")).to_json(), model.to_json());
}

TEST_F(Keras2Files, LossesAndMetrics) {
  Model model = trained_model("sgd");
  model.compile({.loss = losses::MeanSquaredError({.reduction = Reduction::mean}),
                 .metrics = {metrics::SparseCategoricalCrossentropy({.from_logits = true})}});
  EXPECT_EQ(saved(model).training.at("loss").at("config").at("reduction"), Config("sum_over_batch_size"));
  // Keras writes an axis as well.
  const Config metric = Config::from_json(
      R"({"class_name": "SparseCategoricalCrossentropy", "config": {"name": "sce", "from_logits": true, "axis": -1}})");
  EXPECT_EQ(Metric::from_config(metric)->name(), "sce");
}

/// Adafactor has factors only for matrices; Keras 3 lists numbers in the place of those of vectors.
TEST_F(Keras2Files, SlotsThatAVariableDoesNotHaveAreNotListed) {
  Model model = trained_model("adafactor");
  EXPECT_EQ(saved(model).optimizer.size(), 1u + 2 * (3 + 1));
  Model again = load_model(path("model.h5"));
  for (int step = 0; step < 2; ++step) EXPECT_EQ(again.train_on_batch(x(), y()), model.train_on_batch(x(), y()));
  EXPECT_EQ(again.weights_hash(), model.weights_hash());
}

TEST_F(Keras2Files, ArgumentsThatTfKerasLacksAreRefused) {
  const Model model = trained_model(optimizers::Adam({}, {.gradient_accumulation_steps = 2}));
  expect_error_with<ConfigError>([&] { saved(model); },
                                 "The optimizers of tf.keras have no argument `gradient_accumulation_steps`");
  model.save(path("bare.h5"), {.include_optimizer = false, .dialect = ConfigDialect::keras2});
  EXPECT_EQ(load_model(path("bare.h5")).weights_hash(), model.weights_hash());
}

TEST_F(Keras2Files, TheStateHasNoLearningRate) {
  std::vector<std::string> names;
  for (const NamedArray& array : saved(trained_model("adam")).optimizer) names.push_back(array.name);
  ASSERT_EQ(names.size(), 9u);
  EXPECT_EQ(names[0], "adam/iteration:0");
  EXPECT_EQ(names[1], "adam/hidden_kernel_momentum:0");
  EXPECT_EQ(names[2], "adam/hidden_kernel_velocity:0");
}

/// The momenta's product, and the factor of a LossScaleOptimizer with the steps since it changed.
TEST_F(Keras2Files, WhatTfKerasDoesNotSaveIsComputed) {
  for (const Optimizer& optimizer :
       {Optimizer("nadam"), optimizers::LossScaleOptimizer("adam"), optimizers::LossScaleOptimizer("nadam")}) {
    Model model = trained_model(optimizer);
    ModelFile file = saved(model);
    if (optimizer.get_config().to_json().find("nadam") != std::string::npos) {
      EXPECT_EQ(file.optimizer.back().name.substr(file.optimizer.back().name.rfind('/')), "/u_product:0");
      file.optimizer.pop_back();
    }
    EXPECT_EQ(file.optimizer.size(), 9u);
    model_file_format().write(path("theirs.h5"), file);
    Model again = load_model(path("theirs.h5"));
    EXPECT_EQ(again.iterations(), 3);
    for (int step = 0; step < 2; ++step) EXPECT_EQ(again.train_on_batch(x(), y()), model.train_on_batch(x(), y()));
    EXPECT_EQ(again.weights_hash(), model.weights_hash());
  }
}

TEST_F(Keras2Files, LossScalingIsThatOfTfKeras) {
  const Config config = optimizer_config(optimizers::LossScaleOptimizer("adam", {.initial_scale = 64}));
  EXPECT_EQ(config.at("class_name"), Config("LossScaleOptimizerV3"));
  EXPECT_EQ(keys(config.at("config")),
            (std::vector<std::string>{"dynamic", "dynamic_growth_steps", "initial_scale", "inner_optimizer"}));
  EXPECT_EQ(config.at("config").at("inner_optimizer").at("class_name"), Config("Custom>Adam"));
}

}  // namespace
}  // namespace strata
