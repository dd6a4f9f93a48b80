// SPDX-License-Identifier: Apache-2.0
// Model files with losses, metrics, activations, initializers and the like of a program's own.
#include <gtest/gtest.h>

#include "strata/strata.h"
#include "tests/io/expect_io_error.h"
#include "tests/support/expect_error.h"
#include "tests/support/files.h"
#include "tests/support/golden_values.h"

namespace strata {
namespace {

using testing::expect_error_with;
using testing::expect_io_error;
using testing::golden_tensor;

Tensor pinball(const Tensor& y_true, const Tensor& y_pred) {
  const Tensor error = y_true - y_pred;
  return ops::mean(ops::maximum(error * 0.7, error * -0.3), {-1});
}

Tensor largest_error(const Tensor& y_true, const Tensor& y_pred) { return ops::max(ops::abs(y_true - y_pred), {-1}); }

Tensor squared_relu(const Tensor& x) { return ops::square(ops::relu(x)); }

Tensor column_sums(const Tensor& weight) { return ops::sum(ops::square(ops::sum(weight, {0}))) * 0.01; }

class PowerLoss final : public LossFunction {
 public:
  explicit PowerLoss(double power) : power_(power) {}
  std::string class_name() const override { return "golden>PowerLoss"; }
  std::string name() const override { return "power_loss"; }
  Config config() const override { return Config::object({{"power", power_}}); }
  Tensor values(const Tensor& y_true, const Tensor& y_pred) const override {
    return ops::mean(ops::power(ops::abs(y_true - y_pred), scalar(power_, y_pred.dtype())), {-1});
  }

 private:
  double power_;
};

class Within final : public MeanMetric {
 public:
  explicit Within(double distance) : distance_(distance) {}
  std::string name() const override { return "within"; }
  std::string class_name() const override { return "Within"; }
  Config config() const override { return Config::object({{"distance", distance_}}); }
  Tensor values(const Tensor& y_true, const Tensor& y_pred) const override {
    const Tensor error = largest_error(y_true, y_pred);
    return ops::cast(ops::less(error, scalar(distance_, error.dtype())), error.dtype());
  }

 private:
  double distance_;
};

class SignDescent final : public OptimizerRule {
 public:
  std::string class_name() const override { return "golden>SignDescent"; }
  Config config() const override { return Config::object(); }
  std::vector<Tensor> update(const UpdateInputs& in) const override {
    return {in.variable - ops::sign(in.gradient) * in.learning_rate};
  }
};

Initializer steps(double size) {
  return {"Steps", Config::object({{"size", size}}), [size](const Shape& shape, Dtype dtype, const RandomKey&) {
            return ops::reshape(ops::cast(ops::iota({shape.elements()}, 0), dtype), shape) * size;
          }};
}

Constraint bounded(double bound) {
  return {"Bounded", Config::object({{"bound", bound}}),
          [bound](const Tensor& weight) { return ops::clip(weight, -bound, bound); }};
}

CustomObjects own_objects() {
  return {
      {"pinball", pinball},
      {"largest_error", largest_error},
      {"squared_relu", squared_relu},
      {"column_sums", column_sums},
      {"PowerLoss", [](const Config& c) { return Loss(std::make_shared<const PowerLoss>(c.at("power").as_double())); }},
      {"Steps", [](const Config& c) { return steps(c.at("size").as_double()); }},
      {"Bounded", [](const Config& c) { return bounded(c.at("bound").as_double()); }},
      {"SignDescent",
       [](const Config& c) {
         return Optimizer(std::make_shared<const SignDescent>(), LearningRate::from_config(c.at("learning_rate")));
       }},
  };
}

const std::string kFile = std::string(STRATA_GOLDEN_DIR) + "/own_objects/own_objects.h5";

class OwnObjects : public ::testing::Test {
 protected:
  std::string path(const std::string& name) const { return directory_.path(name); }

  /// Trained for a step.
  static Model small_model(const CompileOptions& options, const layers::DenseOptions& dense = {}) {
    clear_session();
    const Tensor input = Input({3});
    Model model(input, layers::Dense(2, dense)(input), "small");
    model.compile(options);
    model.train_on_batch(x(), y());
    return model;
  }
  static Tensor x() { return constant<float>({1, -2, 3, 0.5, 0, -1}, {2, 3}); }
  static Tensor y() { return constant<float>({1, 0, -1, 2}, {2, 2}); }

  /// Reads it back, and trains both on.
  void expect_same(Model& model, const std::string& name, const CustomObjects& objects, ConfigDialect dialect) {
    model.save(path(name), {.dialect = dialect});
    Model again = load_model(path(name), {.custom_objects = objects});
    for (int step = 0; step < 2; ++step) EXPECT_EQ(again.train_on_batch(x(), y()), model.train_on_batch(x(), y()));
    EXPECT_EQ(again.metrics_names(), model.metrics_names());
    EXPECT_EQ(again.weights_hash(), model.weights_hash());
  }

 private:
  Session session_;
  SessionScope scope_{session_};
  testing::TemporaryDirectory directory_;
};

TEST_F(OwnObjects, OfAKerasModelAreGivenByName) {
  const auto golden = testing::read_golden("own_objects/own_objects.json");
  Model model = load_model(kFile, {.custom_objects = own_objects()});
  const Tensor inputs = golden_tensor(golden.at("x").at(""));
  const std::vector<Tensor> targets = {golden_tensor(golden.at("y").at("first")),
                                       golden_tensor(golden.at("y").at("second"))};
  const auto predictions = model.predict_all(inputs);
  for (std::size_t i = 0; i < 2; ++i) {
    testing::expect_close(predictions[i], golden_tensor(golden.at("predictions")[i]), 1e-5, 1e-6);
  }
  for (const double loss : golden.at("losses")) {
    EXPECT_NEAR(model.train_on_batch(inputs, targets)[0], loss, 1e-5 * loss);
  }
  EXPECT_EQ(model.metrics_names(), (std::vector<std::string>{"loss", "first_loss", "second_loss", "first_largest_error",
                                                             "second_power_loss"}));
  const Config first = model.get_layer("dense").get_config();
  EXPECT_EQ(first.at("activation").to_json(), R"({"class_name": "function", "config": "squared_relu"})");
  EXPECT_EQ(first.at("kernel_regularizer").to_json(), R"({"class_name": "function", "config": "column_sums"})");
  EXPECT_EQ(first.at("kernel_initializer").to_json(), R"({"class_name": "Steps", "config": {"size": 0.02}})");
}

TEST_F(OwnObjects, ThatNobodyKnowsAreNamed) {
  const std::vector<std::pair<std::string, std::string>> unknown = {
      {"squared_relu", "Unknown function: squared_relu. Call register_function"},
      {"Steps", "Unknown initializer:Steps. If it is one of your own, give it as one of `custom_objects`"},
      {"column_sums", "Unknown regularizer: column_sums. If it is"},
      {"Bounded", "Unknown constraint: Bounded. If it is"},
      {"SignDescent", "Could not interpret optimizer identifier: golden>SignDescent. Expected one of: "},
      {"pinball",
       "training_config: Unknown loss function: pinball. If it is one of your own, give it as one of "
       "`custom_objects`, {{\"pinball\", ...}}, or make it known with register_custom_object(\"pinball\", "
       "...). With `.compile = false` the model is read without it."},
      {"PowerLoss", "Unknown loss function: PowerLoss. If it is"},
      {"largest_error", "Unknown metric function: largest_error. If it is"}};
  for (const auto& [name, text] : unknown) {
    CustomObjects objects = own_objects();
    objects.erase(name);
    expect_io_error([&] { load_model(kFile, {.custom_objects = objects}); }, kFile, text);
  }
  CustomObjects of_another_kind = own_objects();
  of_another_kind.insert_or_assign("PowerLoss", [](const Config&) { return Metric("mse"); });
  expect_io_error([&] { load_model(kFile, {.custom_objects = of_another_kind}); }, kFile,
                  "Unknown loss function: PowerLoss. What is known under this name is of another kind");
  CustomObjects of_layers = own_objects();
  for (const char* name : {"SignDescent", "pinball", "PowerLoss", "largest_error"}) of_layers.erase(name);
  EXPECT_EQ(load_model(kFile, {.custom_objects = of_layers, .compile = false}).count_params(), 65);
}

TEST_F(OwnObjects, AreSavedUnderTheirNames) {
  for (const ConfigDialect dialect : {ConfigDialect::keras3, ConfigDialect::keras2}) {
    Model model = load_model(kFile, {.custom_objects = own_objects()});
    model.save(path("own.h5"), {.dialect = dialect});
    const ModelFile file = model_file_format().read(path("own.h5"));
    EXPECT_EQ(file.training.at("loss").as_list()[0], Config("pinball"));
    EXPECT_EQ(file.training.at("loss").as_list()[1].at("class_name"), Config("golden>PowerLoss"));
    EXPECT_EQ(file.training.at("metrics").to_json(),
              R"([["largest_error"], [{"class_name": "golden>PowerLoss", "config": )"
              R"({"name": "power_loss", "power": 1.5}}]])");
    EXPECT_EQ(file.training.at("optimizer_config").at("class_name"), Config("golden>SignDescent"));
    EXPECT_EQ(file.training.at("optimizer_config").at("config").at("name"), Config("sign_descent"));
    const Model again = load_model(path("own.h5"), {.custom_objects = own_objects()});
    EXPECT_EQ(again.to_json(), model.to_json());
  }
}

TEST_F(OwnObjects, APlainFunctionWithoutANameDoesNotKeepAModelFromBeingSaved) {
  const auto loss = [](const Tensor& t, const Tensor& y) { return ops::square(t - y); };
  Model model = small_model({.loss = loss});
  model.save(path("lambda.h5"));
  expect_io_error([&] { load_model(path("lambda.h5")); }, path("lambda.h5"), "Unknown loss function: custom_loss. ");
  EXPECT_EQ(load_model(path("lambda.h5"), {.compile = false}).weights_hash(), model.weights_hash());
  expect_same(model, "lambda.h5", {{"custom_loss", loss}}, ConfigDialect::keras3);
}

TEST_F(OwnObjects, FunctionsUnderOtherNamesThanTheirOwn) {
  Model model =
      small_model({.loss = Loss(pinball, "tilted"),
                   .metrics = {Metric(largest_error, "worst"), metrics::MeanOf(Loss(pinball, "tilted"), "t")}});
  EXPECT_EQ(model.metrics_names(), (std::vector<std::string>{"loss", "worst", "t"}));
  for (const ConfigDialect dialect : {ConfigDialect::keras3, ConfigDialect::keras2}) {
    expect_same(model, "names.h5", {{"tilted", pinball}, {"worst", largest_error}}, dialect);
  }
}

TEST_F(OwnObjects, ClassesOfMetrics) {
  const CustomObjects objects = {{"Within", [](const Config& config) {
                                    return Metric(std::make_shared<const Within>(config.at("distance").as_double()));
                                  }}};
  const Metric within(std::make_shared<const Within>(1.0));
  Model model = small_model({.loss = "mse", .metrics = {within}, .weighted_metrics = {within}});
  for (const ConfigDialect dialect : {ConfigDialect::keras3, ConfigDialect::keras2}) {
    expect_same(model, "metric.h5", objects, dialect);
  }
  expect_io_error([&] { load_model(path("metric.h5")); }, path("metric.h5"), "Unknown metric function: Within. If it");
}

TEST_F(OwnObjects, OnceRegisteredTheyAreKnownEverywhere) {
  register_custom_object("registered_pinball", pinball);
  register_custom_object("registered_sums", column_sums);
  register_custom_object("registered_halves", [](const Tensor& weight) { return weight * 0.5; });
  register_custom_object("registered_steps", [](const Shape& shape, Dtype dtype, const RandomKey& key) {
    return steps(0.1)(shape, dtype, key);
  });
  Model model = small_model({.loss = "registered_pinball", .metrics = {"registered_pinball"}},
                            {.kernel_initializer = "registered_steps",
                             .kernel_regularizer = "registered_sums",
                             .bias_constraint = "registered_halves"});
  for (const ConfigDialect dialect : {ConfigDialect::keras3, ConfigDialect::keras2}) {
    expect_same(model, "registered.h5", {}, dialect);
  }
  expect_error_with<ConfigError>([] { register_custom_object("registered_pinball", pinball); },
                                 "register_custom_object: an object 'registered_pinball' is known already");
  expect_error_with<ConfigError>([] { register_custom_object("", pinball); }, "expected a name and a function");
  expect_error_with<ConfigError>([] { register_custom_object("x", TargetFunction()); }, "and an empty function");
}

class Halving : public LearningRateSchedule {
 public:
  explicit Halving(double first) : first_(first) {}
  double rate(std::int64_t step) const override { return first_ / static_cast<double>(std::int64_t{1} << step); }
  std::string class_name() const override { return "Halving"; }
  Config config() const override { return Config::object({{"first", first_}}); }

 private:
  double first_;
};

TEST_F(OwnObjects, SchedulesToo) {
  const CustomObjects objects = {
      {"Halving", [](const Config& config) { return LearningRate(Halving(config.at("first").as_double())); }}};
  Model model = small_model({.optimizer = optimizers::Adam({.learning_rate = Halving(0.1)}), .loss = "mse"});
  for (const ConfigDialect dialect : {ConfigDialect::keras3, ConfigDialect::keras2}) {
    expect_same(model, "schedule.h5", objects, dialect);
  }
  expect_io_error([&] { load_model(path("schedule.h5")); }, path("schedule.h5"),
                  "Unknown learning rate schedule: Halving. If it is one of your own");
}

}  // namespace
}  // namespace strata
