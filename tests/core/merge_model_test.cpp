// SPDX-License-Identifier: Apache-2.0
// A model of two inputs, every merge layer and two outputs, against real Keras.
#include <gtest/gtest.h>

#include "strata/strata.h"
#include "tests/support/golden_values.h"

namespace strata {
namespace {

using testing::expect_close;
using testing::golden_tensor;
using testing::read_golden;

Model merge_model() {
  const auto left = Input({4}, {.name = "left"});
  const auto right = Input({2, 3}, {.name = "right"});
  const auto wide = layers::Dense(6, {.activation = "tanh", .name = "wide"})(left);
  const auto flat = layers::Flatten({.name = "flat"})(right);
  const auto total = layers::Add({.name = "total"})({wide, flat});
  const auto mean = layers::Average({.name = "mean"})({wide, flat, total});
  const auto both = layers::Concatenate(-1, {.name = "both"})({total, mean});
  const auto square = layers::Reshape({3, 4}, {.name = "square"})(both);
  const auto row = layers::Reshape({1, 4}, {.name = "row"})(left);
  const auto shifted = layers::Add({.name = "shifted"})({square, row});
  const auto mixed = layers::Dense(4, {.name = "mixed"})(shifted);
  const auto stacked = layers::Concatenate(1, {.name = "stacked"})({mixed, row});
  const auto squashed = layers::Activation("sigmoid", {.name = "squashed"})(stacked);
  const auto features = layers::Flatten({.name = "features"})(squashed);
  const auto kind = layers::Dense(3, {.name = "kind"})(features);
  const auto score = layers::Dense(1, {.activation = "sigmoid", .name = "score"})(features);
  return Model({left, right}, {kind, score}, "merge_model");
}

class MergeModel : public ::testing::Test {
 protected:
  MergeModel() : golden(read_golden("merge_model.json")), model(merge_model()) {
    clear_session();
    const auto weights = model.weights();
    for (std::size_t i = 0; i < weights.size(); ++i) weights[i].assign(golden_tensor(golden.at("weights")[i]));
  }
  Arrays arrays(const std::string& key) const {
    return std::vector<Tensor>{golden_tensor(golden.at(key)[0]), golden_tensor(golden.at(key)[1])};
  }
  void compile(const Optimizer& optimizer) {
    model.compile({.optimizer = optimizer,
                   .loss = {losses::SparseCategoricalCrossentropy({.from_logits = true}), losses::BinaryCrossentropy()},
                   .loss_weights = golden.at("loss_weights").get<std::vector<double>>(),
                   .metrics = {"accuracy"}});
  }

  nlohmann::json golden;
  Model model;
};

TEST_F(MergeModel, LayersStandInKerasOrder) {
  std::vector<std::string> names;
  for (const LayerRef& layer : model.layers()) names.push_back(layer.name());
  EXPECT_EQ(names, golden.at("layer_names").get<std::vector<std::string>>());
}

TEST_F(MergeModel, Predicts) {
  const auto predictions = model.predict_all(arrays("x"));
  for (std::size_t k = 0; k < 2; ++k)
    expect_close(predictions[k], golden_tensor(golden.at("predictions")[k]), 1e-5, 1e-6);
}

TEST_F(MergeModel, EvaluatesWithAndWithoutWeights) {
  compile("sgd");
  for (const auto& run : golden.at("evaluate")) {
    if (run.at("batch_size") != 7) continue;  // Keras averages output losses over batches without regard to their size
    const Arrays weights = run.at("uses_sample_weight").get<bool>() ? arrays("sample_weight") : Arrays();
    for (const Dim batch_size : {7, 3}) {
      const auto scores =
          model.evaluate(arrays("x"), arrays("y"), {.batch_size = batch_size, .verbose = 0, .sample_weight = weights});
      const auto expected = run.at("list").get<std::vector<double>>();
      ASSERT_EQ(scores.size(), expected.size());
      for (std::size_t i = 0; i < expected.size(); ++i) EXPECT_NEAR(scores[i], expected[i], 2e-6) << i;
    }
  }
  EXPECT_EQ(model.metrics_names(),
            (std::vector<std::string>{"loss", "kind_loss", "score_loss", "kind_accuracy", "score_accuracy"}));
}

// One step of plain gradient descent with rate 1 moves every weight by its gradient.
TEST_F(MergeModel, Gradients) {
  for (const std::string key : {"unweighted", "weighted"}) {
    SCOPED_TRACE(key);
    for (const Dim blocks : {1, 3}) {
      const auto weights = model.weights();
      for (std::size_t i = 0; i < weights.size(); ++i) weights[i].assign(golden_tensor(golden.at("weights")[i]));
      compile(optimizers::SGD({.learning_rate = 1.0}));
      FitOptions options{.batch_size = 7, .verbose = 0, .shuffle = false, .blocks = blocks};
      if (key == "weighted") options.sample_weight = arrays("sample_weight");
      const History history = model.fit(arrays("x"), arrays("y"), options);
      EXPECT_NEAR(history.at("loss")[0], golden.at(key).at("loss").get<double>(), 2e-6);
      for (std::size_t i = 0; i < weights.size(); ++i) {
        const Tensor moved = golden_tensor(golden.at("weights")[i]) - weights[i];
        expect_close(moved, golden_tensor(golden.at(key).at("gradients")[i]), 1e-4, 2e-7);
      }
    }
  }
}

}  // namespace
}  // namespace strata
