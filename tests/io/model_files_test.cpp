// SPDX-License-Identifier: Apache-2.0
// Model files: what real Keras 3 and tf.keras 2 saved, what is saved here, and files that are not what they should be.
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>

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

const std::string kFiles = std::string(STRATA_GOLDEN_DIR) + "/model_files/";

std::vector<std::string> saved_by_keras() {
  std::vector<std::string> names;
  for (const auto& file : std::filesystem::directory_iterator(kFiles)) {
    const std::string name = file.path().filename();
    if (name.ends_with(".h5") && !name.ends_with(".weights.h5")) names.push_back(file.path().stem());
  }
  std::sort(names.begin(), names.end());
  return names;
}

/// Those of the model's inputs or outputs, or the only one.
std::vector<Tensor> arrays(const nlohmann::json& named, const std::vector<std::string>& names) {
  std::vector<Tensor> all;
  for (const std::string& name : names) all.push_back(golden_tensor(named.contains(name) ? named[name] : named[""]));
  return all;
}

class SavedByKeras : public ::testing::TestWithParam<std::string> {
  Session session_;
  SessionScope scope_{session_};
};

void expect_predictions(Model& model, const std::vector<Tensor>& x, const nlohmann::json& expected) {
  const auto predictions = model.predict_all(x);
  ASSERT_EQ(predictions.size(), expected.size());
  for (std::size_t i = 0; i < predictions.size(); ++i) {
    testing::expect_close(predictions[i], golden_tensor(expected[i]), 1e-5, 1e-6);
  }
}

TEST_P(SavedByKeras, PredictsAndTrainsOn) {
  const auto golden = testing::read_golden("model_files/" + GetParam() + ".json");
  Model model = load_model(kFiles + GetParam() + ".h5");
  const auto x = arrays(golden.at("x"), model.graph().input_names());
  const auto y = arrays(golden.at("y"), model.graph().output_names());
  expect_predictions(model, x, golden.at("predictions"));
  for (const double loss : golden.at("losses")) EXPECT_NEAR(model.train_on_batch(x, y)[0], loss, 1e-5 * loss);
}

TEST_P(SavedByKeras, SavedAgainItGoesOnBitForBit) {
  const auto golden = testing::read_golden("model_files/" + GetParam() + ".json");
  const testing::TemporaryDirectory directory;
  Model model = load_model(kFiles + GetParam() + ".h5");
  const auto x = arrays(golden.at("x"), model.graph().input_names());
  const auto y = arrays(golden.at("y"), model.graph().output_names());
  model.train_on_batch(x, y);
  for (const ConfigDialect dialect : {ConfigDialect::keras3, ConfigDialect::keras2}) {
    const std::string path = directory.path("again.h5");
    model.save(path, {.dialect = dialect});
    Model again = load_model(path);
    EXPECT_EQ(again.to_json(), model.to_json());
    EXPECT_EQ(again.weights_hash(), model.weights_hash());
    EXPECT_EQ(again.train_on_batch(x, y), model.train_on_batch(x, y));
    EXPECT_EQ(again.weights_hash(), model.weights_hash());
  }
}

INSTANTIATE_TEST_SUITE_P(Files, SavedByKeras, ::testing::ValuesIn(saved_by_keras()),
                         [](const auto& file) { return file.param; });

class ModelFiles : public ::testing::Test {
 protected:
  std::string path(const std::string& name) const { return directory_.path(name); }

  /// Under the same names each time, on which random draws depend.
  static Model compiled_model() {
    clear_session();
    const Tensor input = Input({6});
    const Tensor hidden = layers::Dropout(0.3)(layers::Dense(8, {.activation = "relu"})(input));
    Model model(input, layers::Dense(3)(layers::BatchNormalization()(hidden)), "small");
    model.compile({.optimizer = optimizers::Adam({.learning_rate = 0.01}),
                   .loss = losses::SparseCategoricalCrossentropy({.from_logits = true}),
                   .metrics = {"accuracy"}});
    return model;
  }
  static Tensor x() {
    std::vector<float> values(60 * 6);
    for (std::size_t i = 0; i < values.size(); ++i) values[i] = static_cast<float>(i * 37 % 101) / 50.0F - 1.0F;
    return constant(values, {60, 6});
  }
  static Tensor y() {
    std::vector<std::int32_t> values(60);
    for (std::size_t i = 0; i < values.size(); ++i) values[i] = static_cast<std::int32_t>(i * 7 % 3);
    return constant(values, {60});
  }

 private:
  Session session_;
  SessionScope scope_{session_};
  testing::TemporaryDirectory directory_;
};

TEST_F(ModelFiles, ASavedRunGoesOnAsIfItHadNeverStopped) {
  const FitOptions both{.batch_size = 16, .epochs = 2, .verbose = 0};
  Model uninterrupted = compiled_model();
  const auto first = uninterrupted.get_weights();
  uninterrupted.fit(x(), y(), both);

  Model model = compiled_model();
  model.set_weights(first);
  FitOptions one = both;
  one.epochs = 1;
  model.fit(x(), y(), one);
  model.save(path("run.h5"));
  Model loaded = load_model(path("run.h5"));
  FitOptions rest = both;
  rest.initial_epoch = 1;
  loaded.fit(x(), y(), rest);
  EXPECT_EQ(loaded.weights_hash(), uninterrupted.weights_hash());
  EXPECT_EQ(loaded.metrics_names(), (std::vector<std::string>{"loss", "accuracy"}));
}

TEST_F(ModelFiles, ARateThatWasSetLasts) {
  Model model = compiled_model();
  model.train_on_batch(x(), y());
  model.optimizer().set_learning_rate(0.125);
  model.save(path("rate.h5"));
  EXPECT_EQ(load_model(path("rate.h5")).optimizer().learning_rate(), 0.125);
}

/// As Keras leaves a model that was compiled and not trained.
TEST_F(ModelFiles, AnOptimizerThatHasNotBegunBegins) {
  Model model = compiled_model();
  model.train_on_batch(x(), y());
  model.save(path("begun.h5"));
  ModelFile file = model_file_format().read(path("begun.h5"));
  file.optimizer = {{"adam/iteration", ops::cast(scalar(0.0), Dtype::int64)}, {"adam/learning_rate", scalar(0.01)}};
  file.position = {};
  model_file_format().write(path("made.h5"), file);
  Model made = load_model(path("made.h5"));
  EXPECT_EQ(made.iterations(), 0);
  made.train_on_batch(x(), y());
  EXPECT_EQ(made.iterations(), 1);
}

Config input_name(const Model& model) { return model.graph().input_names().at(0); }

/// What Keras writes for models within layers: {"module", "class_name", "registered_name"}.
TEST_F(ModelFiles, ModelsWithinLayersAreNamedAsKerasFindsThem) {
  const Tensor input = Input({3});
  const Model model(input, layers::Dense(2)(input));
  const Config functional = layers::TimeDistributed(model).get_config().at("layer");
  EXPECT_EQ(functional.at("module"), Config("keras.src.models.functional"));
  EXPECT_EQ(functional.at("class_name"), Config("Functional"));
  EXPECT_EQ(functional.at("registered_name"), Config("Functional"));
  EXPECT_EQ(functional.at("config").at("input_layers"), Config(Config::List{input_name(model), 0, 0}));
  const Config chain = layers::TimeDistributed(Sequential({Input({3}), layers::Dense(2)})).get_config().at("layer");
  EXPECT_EQ(chain.at("module"), Config("keras"));
  EXPECT_EQ(chain.at("class_name"), Config("Sequential"));
  EXPECT_TRUE(chain.at("registered_name").is_null());
}

TEST_F(ModelFiles, WithoutOptimizerTheModelIsNotCompiled) {
  Model model = compiled_model();
  model.save(path("bare.h5"), {.include_optimizer = false});
  Model loaded = load_model(path("bare.h5"));
  expect_error_with<ConfigError>([&] { loaded.fit(x(), y()); }, "You must compile your model");
  EXPECT_EQ(loaded.predict(x()).to_vector<float>(), model.predict(x()).to_vector<float>());
}

TEST_F(ModelFiles, WeightsAlone) {
  const Model model = compiled_model();
  set_seed(1);
  const Model other = compiled_model();
  model.save_weights(path("weights.h5"));
  ASSERT_NE(other.weights_hash(), model.weights_hash());
  other.load_weights(path("weights.h5"));
  EXPECT_EQ(other.weights_hash(), model.weights_hash());
  expect_io_error([&] { load_model(path("weights.h5")); }, path("weights.h5"), "No model config found in the file");
}

TEST_F(ModelFiles, WeightsByName) {
  const auto model_with = [](Dim units, const std::string& last) {
    const Tensor input = Input({4});
    return Model(input, layers::Dense(units, {.name = last})(layers::Dense(5, {.name = "first"})(input)));
  };
  const Model saved = model_with(3, "last");
  saved.save_weights(path("w.h5"));
  const Model renamed = model_with(3, "other"), wider = model_with(4, "last");
  renamed.load_weights(path("w.h5"), {.by_name = true});
  EXPECT_EQ(renamed.get_weights()[0].to_vector<float>(), saved.get_weights()[0].to_vector<float>());
  EXPECT_NE(renamed.get_weights()[2].to_vector<float>(), saved.get_weights()[2].to_vector<float>());
  const auto before = wider.weights_hash();
  expect_io_error(
      [&] { wider.load_weights(path("w.h5")); }, path("w.h5"),
      "Shape mismatch in layer #1 (named last) for weight last/kernel. Weight expects shape (5, 4). Received "
      "saved weight with shape (5, 3)");
  EXPECT_EQ(wider.weights_hash(), before);
  wider.load_weights(path("w.h5"), {.skip_mismatch = true});
  EXPECT_EQ(wider.get_weights()[0].to_vector<float>(), saved.get_weights()[0].to_vector<float>());
}

TEST_F(ModelFiles, AnotherModelsWeightsAreRefused) {
  compiled_model().save_weights(path("w.h5"));
  const Tensor input = Input({6});
  const Model two(input, layers::Dense(8)(input));
  expect_io_error(
      [&] { two.load_weights(path("w.h5")); }, path("w.h5"),
      "Layer count mismatch when loading weights from file. Model expected 1 layers, found 3 saved layers.");
}

TEST_F(ModelFiles, ManyLayersNeedSeveralAttributes) {
  Tensor x = Input({1});
  const std::string long_name(600, 'n');
  std::vector<Tensor> tensors{x};
  for (int i = 0; i < 130; ++i) {
    x = layers::Activation("relu", {.name = long_name + std::to_string(i)})(x);
    tensors.push_back(x);
  }
  const Model model(tensors.front(), layers::Dense(1)(tensors.back()));
  model.save(path("many.h5"));
  EXPECT_EQ(load_model(path("many.h5")).to_json(), model.to_json());
}

TEST_F(ModelFiles, NamesSayWhatIsWritten) {
  const Model model = compiled_model();
  expect_error_with<ConfigError>([&] { model.save(path("model")); },
                                 "save: expected a path ending with `.h5` or `.hdf5`");
  expect_error_with<ConfigError>([&] { model.save(path("m.weights.h5")); }, "which is for weights alone");
  expect_io_error([&] { model.save("/proc/none/model.h5"); }, "/proc/none/model.h5", "its directory cannot be made");
}

class Own : public SubclassedModel {
 public:
  std::string class_name() const override { return "Own"; }
  Config config() const override { return Config::object(); }
  Tensor call(const Tensor& input, CallContext&) override { return dense_(input); }

 private:
  LayerRef dense_ = track(layers::Dense(2));
};

TEST_F(ModelFiles, ASubclassedModelKeepsItsWeightsAlone) {
  const auto model = make_model<Own>(), other = make_model<Own>();
  model(ops::zeros({1, 3}));
  other(ops::zeros({1, 3}));
  expect_error_with<ConfigError>([&] { model.save(path("own.h5")); },
                                 "Saving the model to HDF5 format requires the model to be a Functional model");
  model.save_weights(path("own.h5"));
  other.load_weights(path("own.h5"));
  EXPECT_EQ(other.weights_hash(), model.weights_hash());
}

TEST_F(ModelFiles, NothingIsLeftOfAFileThatFailed) {
  const Model model = compiled_model();
  std::filesystem::create_directory(path("taken.h5"));
  expect_io_error([&] { model.save(path("taken.h5")); }, path("taken.h5"), "cannot be written");
  std::size_t left = 0;
  for (const auto& entry : std::filesystem::directory_iterator(path(""))) left += entry.is_regular_file() ? 1 : 0;
  EXPECT_EQ(left, 0u);
}

TEST_F(ModelFiles, FilesThatAreNone) {
  expect_io_error([&] { load_model(path("absent.h5")); }, path("absent.h5"), "no such file");
  expect_io_error([&] { load_model(path("")); }, path(""), "received a directory");
  testing::write_file(path("text.h5"), testing::ramp(3000, 100));
  expect_io_error([&] { load_model(path("text.h5")); }, path("text.h5"), "expected an HDF5 file");
}

/// Cut at any place, a file gives an IoError that names it; never a model.
TEST_F(ModelFiles, TruncatedFiles) {
  Model model = compiled_model();
  model.train_on_batch(x(), y());
  model.save(path("whole.h5"));
  const std::string whole = testing::read_text(path("whole.h5"));
  for (std::size_t part = 1; part < 20; ++part) {
    const std::size_t size = whole.size() * part / 20;
    testing::write_file(path("cut.h5"),
                        testing::Bytes(whole.begin(), whole.begin() + static_cast<std::ptrdiff_t>(size)));
    EXPECT_THROW(load_model(path("cut.h5")), IoError) << size << " of " << whole.size() << " bytes";
  }
}

TEST_F(ModelFiles, DamagedFiles) {
  Model model = compiled_model();
  model.train_on_batch(x(), y());
  model.save(path("whole.h5"));
  const std::string whole = testing::read_text(path("whole.h5"));
  for (std::size_t at = 8; at < whole.size() - 16; at += whole.size() / 151) {
    testing::Bytes damaged(whole.begin(), whole.end());
    damaged[at] ^= 0x5AU;
    testing::write_file(path("damaged.h5"), damaged);
    expect_io_error([&] { load_model(path("damaged.h5")); }, path("damaged.h5"), "is damaged");
  }
}

/// A file that is whole and says what cannot be: the error names the attribute.
TEST_F(ModelFiles, FilesThatSayWhatCannotBe) {
  const auto write = [&](const std::string& name, const ModelFile& file) {
    model_file_format().write(path(name), file);
  };
  ModelFile file;
  file.keras_version = "3.15.1";
  file.model = Config::object({{"class_name", "Sequential"}, {"config", Config::object({{"layers", 3}})}});
  write("config.h5", file);
  expect_io_error([&] { load_model(path("config.h5")); }, path("config.h5"), "the attribute model_config: ");

  Model model = compiled_model();
  model.train_on_batch(x(), y());
  model.save(path("whole.h5"));
  file = model_file_format().read(path("whole.h5"));
  ModelFile other = file;
  other.layers[1].weights.pop_back();
  write("fewer.h5", other);
  expect_io_error([&] { load_model(path("fewer.h5")); }, path("fewer.h5"),
                  "Weight count mismatch for layer #0 (named dense");
  other = file;
  other.optimizer.back().value = ops::zeros({2, 2});
  write("slot.h5", other);
  expect_io_error([&] { load_model(path("slot.h5")); }, path("slot.h5"), "has shape (3,), received (2, 2)");
  other = file;
  other.training.set("loss", "no_such_loss");
  write("loss.h5", other);
  expect_io_error([&] { load_model(path("loss.h5")); }, path("loss.h5"), "the attribute training_config: Unknown loss");
}

}  // namespace
}  // namespace strata
