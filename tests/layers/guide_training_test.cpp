// SPDX-License-Identifier: Apache-2.0
// What the Keras guide "The functional API" shows of training and files; see guide_observations_test.cpp.
#include <gtest/gtest.h>

#include <regex>

#include "strata/strata.h"
#include "tests/support/files.h"

namespace strata {
namespace {

using Names = std::vector<std::string>;
using Floats = std::vector<float>;

Tensor numbers(const Shape& shape, std::uint64_t stream) {
  const RandomKey key{constant<std::int64_t>({3, 0, 0}, {3}), stream};
  return constant(ops::random_normal(key, shape).to_vector<float>(), shape);
}

/// 60 rows of 6 numbers; the class of each is the place of the largest of the first three.
struct Samples {
  Tensor x = numbers({60, 6}, 1);
  Tensor y = constant(ops::argmax(ops::slice(x, {0, 0}, {None, 3})).to_vector<std::int64_t>(), {60});
};

class GuideTraining : public ::testing::Test {
 protected:
  static Model classifier() {
    clear_session();
    const auto inputs = Input({6});
    const auto x = layers::Dense(8, {.activation = "relu"})(inputs);
    Model model(inputs, layers::Dense(3)(x), "classifier");
    model.compile({.optimizer = optimizers::RMSprop(),
                   .loss = losses::SparseCategoricalCrossentropy({.from_logits = true}),
                   .metrics = {"accuracy"}});
    return model;
  }
  /// What `f` prints.
  template <class F>
  static std::string printed(const F& f) {
    ::testing::internal::CaptureStdout();
    f();
    return ::testing::internal::GetCapturedStdout();
  }

  const Samples data_;

 private:
  Session session_;
  SessionScope scope_{session_};
};

// Row 12.
TEST_F(GuideTraining, ImagesBecomeRowsOfNumbersFromZeroToOne) {
  const testing::TemporaryDirectory directory;
  for (const std::string part : {"train", "t10k"}) {
    const std::uint32_t count = part == "train" ? 20 : 10;
    testing::write_file(directory.path(part + "-images-idx3-ubyte"),
                        testing::idx(8, {count, 28, 28}, testing::ramp(count * 784, 256)));
    testing::write_file(directory.path(part + "-labels-idx1-ubyte"),
                        testing::idx(8, {count}, testing::ramp(count, 10)));
  }
  const auto data = datasets::mnist::load_data(directory.path());
  EXPECT_EQ(data.x_train.spec(), (TensorSpec{{20, 28, 28}, Dtype::uint8}));
  const Tensor x_train = ops::cast(ops::reshape(data.x_train, {20, 784}), Dtype::float32) / 255.0;
  const auto values = x_train.to_vector<float>();
  EXPECT_EQ(*std::min_element(values.begin(), values.end()), 0.F);
  EXPECT_EQ(*std::max_element(values.begin(), values.end()), 1.F);
  EXPECT_EQ(values[51], 0.2F);
  EXPECT_EQ(data.y_test.spec(), (TensorSpec{{10}, Dtype::uint8}));
}

// Row 13.
TEST_F(GuideTraining, AccuracyIsTheOneThatSuitsTheLoss) {
  Model model = classifier();
  const auto scores = model.evaluate(data_.x, data_.y, {.verbose = 0});
  EXPECT_EQ(model.metrics_names(), (Names{"loss", "accuracy"}));
  const auto predicted = ops::argmax(model.predict(data_.x)).to_vector<std::int64_t>();
  const auto labels = data_.y.to_vector<std::int64_t>();
  int right = 0;
  for (std::size_t i = 0; i < labels.size(); ++i) right += predicted[i] == labels[i] ? 1 : 0;
  EXPECT_NEAR(scores[1], right / 60.0, 1e-7);
}

// Row 14.
TEST_F(GuideTraining, FitKeepsSomeDataForValidationAndReturnsAHistory) {
  Model model = classifier();
  History history;
  const std::string out =
      printed([&] { history = model.fit(data_.x, data_.y, {.batch_size = 16, .epochs = 5, .validation_split = 0.2}); });
  EXPECT_EQ(out.find("Train on 48 samples, validate on 12 samples\nEpoch 1/5\n"), 0u) << out;
  EXPECT_NE(out.find("\nEpoch 5/5\n"), std::string::npos) << out;
  EXPECT_TRUE(std::regex_search(out, std::regex(R"(48/48 \[=+\] - \d+s \d+[mu]?s/sample - loss: \d\.\d{4} - accuracy: )"
                                                R"(\d\.\d{4} - val_loss: \d\.\d{4} - val_accuracy: \d\.\d{4})")))
      << out;
  EXPECT_EQ(model.iterations(), 5 * 3);
  for (const char* log : {"loss", "accuracy", "val_loss", "val_accuracy"}) {
    EXPECT_EQ(history.at(log).size(), 5u) << log;
  }
  EXPECT_LT(history.at("loss")[4], history.at("loss")[0]);
}

// Rows 15 and 16.
TEST_F(GuideTraining, EvaluatePrintsALineAndReturnsTheLossAndTheMetrics) {
  Model model = classifier();
  std::vector<double> test_scores;
  const std::string out = printed([&] { test_scores = model.evaluate(data_.x, data_.y, {.verbose = 2}); });
  EXPECT_TRUE(std::regex_match(out, std::regex("60/60 - \\d+s - loss: \\d\\.\\d{4} - accuracy: \\d\\.\\d{4}\n")))
      << out;
  ASSERT_EQ(test_scores.size(), 2u);
  EXPECT_NE(out.find("accuracy: " + std::to_string(test_scores[1]).substr(0, 5)), std::string::npos) << out;
}

// Row 17.
TEST_F(GuideTraining, ASavedModelComesBackAsItWas) {
  const testing::TemporaryDirectory directory;
  Model model = classifier();
  const FitOptions options{.batch_size = 16, .verbose = 0};
  model.fit(data_.x, data_.y, options);
  model.save(directory.path("path_to_my_model.h5"));

  Model again = load_model(directory.path("path_to_my_model.h5"));
  EXPECT_EQ(again.predict(data_.x).to_vector<float>(), model.predict(data_.x).to_vector<float>());
  EXPECT_EQ(summary_text(again.graph()), summary_text(model.graph()));
  EXPECT_EQ(again.optimizer().get_config(), model.optimizer().get_config());
  EXPECT_EQ(again.fit(data_.x, data_.y, options).at("loss"), model.fit(data_.x, data_.y, options).at("loss"));
  EXPECT_EQ(again.weights_hash(), model.weights_hash()) << "training goes on as if nothing had happened";
}

/// The tickets' model in small.
Model ticket_router() {
  clear_session();
  const auto title = Input({None}, {.name = "title"});
  const auto tags = Input({12}, {.name = "tags"});
  const auto x = layers::concatenate({layers::LSTM(4)(layers::Embedding(50, 3)(title)), tags});
  return Model({title, tags}, {layers::Dense(1, {.name = "priority"})(x), layers::Dense(4, {.name = "department"})(x)});
}

// Rows 27 and 28.
TEST_F(GuideTraining, LossesAreGivenInOrderOrByName) {
  const Arrays tickets{ops::full({8, 5}, 7), numbers({8, 12}, 4)};
  const Tensor priority = ops::sigmoid(numbers({8, 1}, 5)), department = ops::softmax(numbers({8, 4}, 6));
  const Loss binary = losses::BinaryCrossentropy({.from_logits = true});
  const Loss categorical = losses::CategoricalCrossentropy({.from_logits = true});
  Model by_order = ticket_router(), by_name = ticket_router();
  by_name.set_weights(by_order.get_weights());
  by_order.compile({.optimizer = "rmsprop", .loss = {binary, categorical}, .loss_weights = {1.0, 0.2}});
  by_name.compile({.optimizer = "rmsprop",
                   .loss = {{"priority", binary}, {"department", categorical}},
                   .loss_weights = {1.0, 0.2}});

  const auto scores = by_order.evaluate(tickets, {priority, department}, {.verbose = 0});
  EXPECT_EQ(by_order.metrics_names(), (Names{"loss", "priority_loss", "department_loss"}));
  EXPECT_NEAR(scores[0], scores[1] + 0.2 * scores[2], 1e-6);
  const auto outputs = by_order.predict_all(tickets);
  EXPECT_NEAR(scores[1], binary(priority, outputs[0]).item<float>(), 1e-6);
  EXPECT_NEAR(scores[2], categorical(department, outputs[1]).item<float>(), 1e-6);

  const FitOptions options{.epochs = 2, .verbose = 0};
  EXPECT_EQ(by_name.fit(tickets, {priority, department}, options).at("loss"),
            by_order.fit(tickets, {priority, department}, options).at("loss"));
  EXPECT_EQ(by_name.weights_hash(), by_order.weights_hash());
}

// Row 46.
TEST_F(GuideTraining, AModelIsWrittenAsTextAndReadBack) {
  const Model model = ticket_router();
  const std::string json = model.to_json();
  const Model again = model_from_json(json);
  EXPECT_EQ(again.to_json(), json);
  EXPECT_EQ(summary_text(again.graph()), summary_text(model.graph()));
  EXPECT_NE(again.weights_hash(), model.weights_hash()) << "the text holds no weights";

  const Model clone = clone_model(model);
  EXPECT_EQ(clone.get_config(), model.get_config());
  EXPECT_NE(clone.weights_hash(), model.weights_hash());
}

// Row 51, on processors.
TEST_F(GuideTraining, ASeedDecidesEverything) {
  const auto hash_of = [&](std::uint64_t seed) {
    set_seed(seed);
    Model model = classifier();
    model.fit(data_.x, data_.y, {.batch_size = 16, .epochs = 2, .verbose = 0});
    return model.weights_hash();
  };
  const auto first = hash_of(1);
  EXPECT_EQ(hash_of(1), first);
  EXPECT_NE(hash_of(2), first);
}

}  // namespace
}  // namespace strata
