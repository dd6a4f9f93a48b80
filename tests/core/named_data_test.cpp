// SPDX-License-Identifier: Apache-2.0
// Data by the names of inputs and outputs, and datasets: other ways to say the same.
#include <gtest/gtest.h>

#include "core/base/error.h"
#include "strata/strata.h"
#include "tests/support/expect_error.h"

namespace strata {
namespace {

using testing::expect_error;
using testing::expect_error_with;
using ::testing::internal::CaptureStdout;
using ::testing::internal::GetCapturedStdout;

constexpr Dim kRows = 20;

Tensor noise(Dim columns, std::int64_t seed) {
  return ops::random_uniform({constant<std::int64_t>({seed, 0, 0}, {3})}, {kRows, columns}, 0.0, 1.0);
}

/// Two inputs of different widths, so that exchanged ones would not fit, and two outputs of equal width, where nothing
/// but the name can tell.
class NamedDataTest : public ::testing::Test {
 protected:
  Model make(const Losses& loss = {{"up", "mse"}, {"down", "mse"}}, const Metrics& metrics = {}) const {
    set_seed(5);
    clear_session();
    auto a = Input({3}, {.name = "a"}), b = Input({4}, {.name = "b"});
    auto x = layers::concatenate({a, b});
    Model model({a, b}, {layers::Dense(2, {.name = "up"})(x), layers::Dense(2, {.name = "down"})(x)});
    model.compile({.optimizer = "adam", .loss = loss, .loss_weights = {1.0, 0.5}, .metrics = metrics});
    return model;
  }
  static FitOptions quiet() { return {.batch_size = 8, .epochs = 2, .verbose = 0}; }
  template <class... Data>
  std::uint64_t fitted(const FitOptions& options, const Data&... data) const {
    Model model = make();
    model.fit(data..., options);
    return model.weights_hash();
  }

  Session session_;
  SessionScope scope_{session_};
  Tensor a_ = noise(3, 1), b_ = noise(4, 2), up_ = noise(2, 3), down_ = noise(2, 4);
  Arrays x_list_{a_, b_}, y_list_{up_, down_};
  Arrays x_{{"b", b_}, {"a", a_}}, y_{{"down", down_}, {"up", up_}};
};

TEST_F(NamedDataTest, NamesReplaceTheOrder) {
  const auto expected = fitted(quiet(), x_list_, y_list_);
  EXPECT_EQ(fitted(quiet(), x_, y_), expected);
  EXPECT_EQ(fitted(quiet(), x_list_, y_), expected);
  const std::map<std::string, Tensor> map{{"a", a_}, {"b", b_}};
  EXPECT_EQ(fitted(quiet(), Arrays(map), y_), expected);
  EXPECT_NE(fitted(quiet(), x_, Arrays{{"up", down_}, {"down", up_}}), expected);
}

TEST_F(NamedDataTest, ADatasetSaysTheSame) {
  const auto expected = fitted(quiet(), x_list_, y_list_);
  const auto by_list = Dataset::from_tensor_slices(x_list_, y_list_), by_name = Dataset::from_tensor_slices(x_, y_);
  FitOptions options = quiet();
  options.batch_size = 32;  // the dataset has its own
  EXPECT_EQ(fitted(options, by_list.shuffle().batch(8)), expected);
  EXPECT_EQ(fitted(options, by_name.shuffle().batch(8)), expected);
  FitOptions in_order = quiet();
  in_order.shuffle = false;
  EXPECT_EQ(fitted(options, by_name.batch(8)), fitted(in_order, x_, y_));
  EXPECT_NE(fitted(options, by_name.batch(8)), expected);
}

TEST_F(NamedDataTest, ADatasetIsCountedInSteps) {
  Model model = make();
  const auto data = Dataset::from_tensor_slices(x_, y_).batch(8);
  CaptureStdout();
  const History history = model.fit(data, {.validation_data = data});
  const std::string text = GetCapturedStdout();
  EXPECT_TRUE(text.starts_with("Train for 3 steps, validate for 3 steps\n")) << text;
  EXPECT_NE(text.find("3/3 [=============================="), std::string::npos) << text;
  EXPECT_NE(text.find("/step - loss: "), std::string::npos) << text;
  EXPECT_EQ(history.steps, 3);
  EXPECT_EQ(history.at("val_loss").size(), 1u);
}

TEST_F(NamedDataTest, ARemainderMayBeDropped) {
  Model model = make();
  const auto whole = Dataset::from_tensor_slices(x_, y_).batch(8, true);
  EXPECT_EQ(model.fit(whole, {.verbose = 0}).steps, 2);
  EXPECT_EQ(model.predict_all(whole)[0].shape(), (Shape{16, 2}));
  EXPECT_EQ(model.predict_all(Dataset::from_tensor_slices(x_).batch(8))[1].shape(), (Shape{kRows, 2}));
  expect_error<ConfigError>([&] { model.fit(Dataset::from_tensor_slices(x_, y_).batch(32, true)); },
                            "Expected at least one whole batch of 32 samples, received 20 samples");
}

TEST_F(NamedDataTest, EvaluateAndPredictTakeThemToo) {
  Model model = make();
  const auto expected = model.evaluate(x_list_, y_list_, {.batch_size = 8, .verbose = 0});
  EXPECT_EQ(model.evaluate(x_, y_, {.batch_size = 8, .verbose = 0}), expected);
  EXPECT_EQ(model.evaluate(Dataset::from_tensor_slices(x_, y_).batch(8), {.verbose = 0}), expected);
  EXPECT_EQ(model.test_on_batch(x_, y_), model.test_on_batch(x_list_, y_list_));
  EXPECT_EQ(model.predict_all(x_)[1].to_vector<float>(), model.predict_all(x_list_)[1].to_vector<float>());
}

TEST_F(NamedDataTest, SampleWeightsByName) {
  std::vector<float> weights(kRows, 1.0F);
  for (std::size_t i = 0; i < weights.size(); i += 3) weights[i] = 0.25F;
  const Tensor weight = constant(weights, {kRows}), one = ops::ones({kRows});
  const auto with = [&](const Arrays& sample_weight) {
    FitOptions options = quiet();
    options.sample_weight = sample_weight;
    return fitted(options, x_, y_);
  };
  const auto expected = with({one, weight});
  EXPECT_EQ(with({{"down", weight}}), expected);
  EXPECT_NE(with({{"up", weight}}), expected);
  EXPECT_EQ(fitted(quiet(), Dataset::from_tensor_slices(x_, y_, {{"down", weight}}).shuffle().batch(8)), expected);
  expect_error<ConfigError>(
      [&] {
        with({{"left", weight}});
      },
      "Unknown entries in sample_weight dictionary: ['left']. Only expected following keys: "
      "['up', 'down']");
}

TEST_F(NamedDataTest, AnOutputThatNothingReadsNeedsNoTargets) {
  Model model = make({{"down", "mse"}});
  const auto expected = model.test_on_batch(x_, y_);
  EXPECT_EQ(model.test_on_batch(x_, {{"down", down_}}), expected);
  EXPECT_EQ(model.test_on_batch(x_, down_), expected);
  model = make({{"down", "mse"}}, {{"up", {"mae"}}});
  expect_error<ConfigError>(
      [&] {
        model.test_on_batch(x_, {{"down", down_}});
      },
      "No data provided for \"up\". Need data for each key in: ['up', 'down']");
}

TEST_F(NamedDataTest, WrongNamesAreErrors) {
  Model model = make();
  expect_error<ConfigError>(
      [&] {
        model.fit({{"a", a_}}, y_);
      },
      "No data provided for \"b\". Need data for each key in: ['a', 'b']");
  expect_error<ConfigError>(
      [&] {
        model.fit(x_, {{"up", up_}, {"dwon", down_}});
      },
      "Unknown entries in target dictionary: ['dwon']. Only expected following keys: "
      "['up', 'down']");
  expect_error_with<ConfigError>([&] { Arrays({{"a", a_}, {"a", b_}}); }, "received \"a\" twice");
  const Arrays more{{"a", a_}, {"b", b_}, {"id", up_}};  // a column the model does not use
  EXPECT_EQ(fitted(quiet(), more, y_), fitted(quiet(), x_, y_));
}

TEST_F(NamedDataTest, DatasetsAreChecked) {
  Model model = make();
  const auto data = Dataset::from_tensor_slices(x_, y_);
  expect_error_with<ConfigError>([&] { model.fit(data); }, "Expected a Dataset of batches: call .batch(32)");
  expect_error_with<ConfigError>([&] { data.batch(0); }, "expected a batch_size of at least 1, received 0");
  expect_error_with<ConfigError>([&] { data.batch(8).batch(8); }, "expected samples, received batches of 8");
  expect_error_with<ConfigError>([&] { data.batch(8).shuffle(); }, "shuffle, then batch");
  expect_error_with<ConfigError>([&] { model.fit(data.batch(8), {.validation_split = 0.5}); },
                                 "expected validation_data");
  expect_error_with<ConfigError>([&] { model.fit(data.batch(8), {.sample_weight = ops::ones({kRows})}); },
                                 "expected the sample weights in the Dataset");
}

TEST_F(NamedDataTest, ModelsWithNamedEnds) {
  auto a = Input({3}, {.name = "a"}), b = Input({4}, {.name = "b"});
  auto x = layers::concatenate({a, b});
  const Tensor up = layers::Dense(2)(x), down = layers::Dense(3)(x);
  // As Keras goes through a dictionary: by name.
  Model model({{"wide", b}, {"narrow", a}}, {{"up", up}, {"down", down}});
  EXPECT_EQ(model.graph().input_names(), (std::vector<std::string>{"narrow", "wide"}));
  EXPECT_EQ(model.graph().output_names(), (std::vector<std::string>{"down", "up"}));
  EXPECT_EQ(model.graph().outputs()[0].shape(), (Shape{None, 3}));

  const auto made = model.predict_by_name({{"wide", b_}, {"narrow", a_}});
  EXPECT_EQ(made.at("down").shape(), (Shape{kRows, 3}));
  EXPECT_EQ(made.at("up").to_vector<float>(), Model({a, b}, up).predict(x_list_).to_vector<float>());
  EXPECT_EQ(model.call_by_name({{"wide", b_}, {"narrow", a_}}).at("up").to_vector<float>(),
            made.at("up").to_vector<float>());
  expect_error<ConfigError>(
      [&] {
        model.call_by_name({{"wide", b_}});
      },
      "No data provided for \"narrow\". Need data for each key in: ['narrow', 'wide']");

  model.compile({.loss = {{"up", "mse"}, {"down", "mae"}}});
  const auto history = model.fit({{"wide", b_}, {"narrow", a_}}, {{"down", noise(3, 9)}, {"up", up_}}, quiet());
  EXPECT_EQ(history.at("down_loss").size(), 2u);
}

TEST_F(NamedDataTest, NamedEndsAreDescribedAndCopied) {
  auto a = Input({3}, {.name = "a"}), b = Input({4}, {.name = "b"});
  const Tensor both = layers::concatenate({a, b});
  const Model inner({{"wide", b}, {"narrow", a}}, {{"sum", layers::Dense(2, {.name = "head"})(both)}}, "inner");
  auto u = Input({3}, {.name = "u"}), v = Input({4}, {.name = "v"});
  const Model outer({{"v", v}, {"u", u}}, inner.call_by_name({{"narrow", u}, {"wide", v}}).at("sum"), "outer");
  for (const ConfigDialect dialect : {ConfigDialect::keras3, ConfigDialect::keras2}) {
    const ConfigDialectScope scope(dialect);
    const Config config = outer.get_config();
    EXPECT_EQ(config.at("input_layers").at("u").to_json(), R"(["u", 0, 0])");
    EXPECT_TRUE(config.at("output_layers").is_list());
    const Model again = model_from_config(Config::object({{"class_name", "Functional"}, {"config", config}}));
    EXPECT_EQ(again.get_config().to_json(), config.to_json());
    EXPECT_EQ(again.graph().input_names(), (std::vector<std::string>{"u", "v"}));
  }
  EXPECT_EQ(clone_model(inner).graph().output_names(), (std::vector<std::string>{"sum"}));
}

}  // namespace
}  // namespace strata
