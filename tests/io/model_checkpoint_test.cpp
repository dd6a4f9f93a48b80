// SPDX-License-Identifier: Apache-2.0
// ModelCheckpoint: which files it writes and what it says, beside real Keras 3; the files themselves.
#include <gtest/gtest.h>

#include <filesystem>

#include "strata/strata.h"
#include "tests/io/expect_io_error.h"
#include "tests/support/expect_error.h"
#include "tests/support/files.h"
#include "tests/support/golden_values.h"
#include "tests/support/ranks.h"

namespace strata {
namespace {

using callbacks::ModelCheckpoint;
using callbacks::ModelCheckpointOptions;

/// Keeps the names of the files instead of writing them.
class NamesOnly final : public ModelFileFormat {
 public:
  NamesOnly() { set_model_file_format(this); }
  ~NamesOnly() override { set_model_file_format(&keras_hdf5_format()); }
  void write(const std::string& path, const ModelFile&) const override { names.push_back(path); }
  ModelFile read(const std::string& path) const override { throw IoError(path, "not written"); }
  mutable std::vector<std::string> names;
};

struct Control final : TrainingControl {
  explicit Control(const Model& m) : trained(m) {}
  Model model() const override { return trained; }
  std::optional<bool> larger_is_better(const std::string& log) const override { return log.ends_with("accuracy"); }
  void stop_training() override {}
  double learning_rate() const override { return 0.0; }
  void set_learning_rate(double) override {}
  void on_rank_0(const std::string&, const std::function<void()>& act) override { act(); }
  void save_run(const std::string&, int) override {}
  bool resume_run(const std::string&) override { return false; }
  void remove_runs(const std::string&) override {}
  Model trained;
};

Model small_model() {
  const Tensor input = Input({2});
  Model model(input, layers::Dense(1)(input));
  model.compile({.optimizer = "sgd", .loss = "mse"});
  return model;
}

ModelCheckpointOptions options_of(const nlohmann::json& config) {
  ModelCheckpointOptions options{.monitor = config.value("monitor", "val_loss"),
                                 .verbose = 1,
                                 .save_best_only = config.value("save_best_only", false),
                                 .save_weights_only = config.value("save_weights_only", false),
                                 .mode = config.value("mode", "auto"),
                                 .save_freq = config.value("save_freq", 0)};
  if (config.contains("initial_value_threshold")) options.initial_value_threshold = config["initial_value_threshold"];
  return options;
}

std::string without(std::string text, const std::vector<std::string>& lines) {
  for (const std::string& line : lines) {
    const std::size_t at = text.find(line + "\n");
    if (at == std::string::npos) return "no '" + line + "' in:" + text;
    text.erase(at, line.size() + 1);
  }
  return text;
}

/// The checkpoint is told of the recorded values, one an epoch, as in tests/golden/callbacks.py.
void tell(ModelCheckpoint& checkpoint, const std::vector<double>& values, const nlohmann::json& c) {
  checkpoint.on_train_begin();
  for (std::size_t epoch = 0; epoch < values.size(); ++epoch) {
    const int number = static_cast<int>(epoch);
    checkpoint.on_epoch_begin(number);
    for (int batch = 0; batch < c.at("steps").get<int>(); ++batch) {
      checkpoint.on_train_batch_end(batch, {{"loss", values[epoch] + batch}});
    }
    Logs logs{{"loss", 1.0}};
    if (c.at("steps") == 0) logs.emplace_back(c.at("key").get<std::string>(), values[epoch]);
    checkpoint.on_epoch_end(number, logs);
  }
  checkpoint.on_train_end({});
}

TEST(ModelCheckpoint, WritesAndSaysWhatKerasDoes) {
  const auto golden = testing::read_golden("callbacks.json");
  const auto values = golden.at("values").get<std::vector<double>>();
  for (const auto& c : golden.at("checkpoints")) {
    SCOPED_TRACE(c.at("name").get<std::string>());
    const NamesOnly files;
    Control control(small_model());
    ModelCheckpoint checkpoint(c.at("filepath"), options_of(c.at("config")));
    checkpoint.attach(&control, {});
    ::testing::internal::CaptureStdout();
    tell(checkpoint, values, c);
    const std::string said = ::testing::internal::GetCapturedStdout();
    EXPECT_EQ(files.names, c.at("files").get<std::vector<std::string>>());
    EXPECT_EQ(without(said, c.at("warnings").get<std::vector<std::string>>()), c.at("text").get<std::string>());
    EXPECT_EQ(checkpoint.best().has_value(), !c.at("best").is_null());
    if (!c.at("best").is_null()) {
      EXPECT_EQ(checkpoint.best(), c.at("best").get<double>());
    }
  }
  EXPECT_EQ(golden.at("checkpoints").size(), 10u);
}

TEST(ModelCheckpoint, RefusesWhatCannotBe) {
  testing::expect_error<ConfigError>([] { ModelCheckpoint("model.keras"); },
                                     "ModelCheckpoint: expected a filepath that ends with `.h5` or `.hdf5`, but not "
                                     "with `.weights.h5`, which holds weights alone. Received: filepath=model.keras");
  EXPECT_THROW(ModelCheckpoint("m.weights.h5"), ConfigError);
  EXPECT_THROW(ModelCheckpoint("m.txt", {.save_weights_only = true}), ConfigError);
  EXPECT_THROW(ModelCheckpoint("m.h5", {.mode = "best"}), ConfigError);
  EXPECT_THROW(ModelCheckpoint("m.h5", {.save_freq = -1}), ConfigError);
}

TEST(ModelCheckpoint, NamesWhatTheTemplateMayHold) {
  const NamesOnly files;
  Control control(small_model());
  const auto name = [&](const std::string& pattern) {
    ModelCheckpoint checkpoint(pattern);
    checkpoint.attach(&control, {});
    Logs logs{{"loss", 0.25}, {"val_loss", 1e-7}};
    checkpoint.on_epoch_end(4, logs);
    return files.names.back();
  };
  EXPECT_EQ(name("{epoch}{val_loss}.h5"), "51e-07.h5");
  const std::string failed = "Failed to format this callback filepath: \"";
  testing::expect_error<ConfigError>([&] { name("{val_los:.2f}.h5"); },
                                     failed +
                                         "{val_los:.2f}.h5\". Reason: {val_los:.2f}: expected one of [epoch, "
                                         "loss, val_loss]");
  testing::expect_error_with<ConfigError>([&] { name("{batch}.h5"); }, "expected one of [epoch, loss, val_loss]");
  testing::expect_error_with<ConfigError>([&] { name("{epoch:.2q}.h5"); }, "Reason: {epoch:.2q}: ");
  testing::expect_error_with<ConfigError>([&] { name("{epoch.h5"); }, "a brace without its other one");
  testing::expect_error_with<ConfigError>([&] { name("epoch}.h5"); }, "a brace without its other one");
}

class CheckpointFiles : public ::testing::Test {
 protected:
  static Tensor x() { return constant({0.5f, 1.f, -1.f, 2.f, 0.f, 1.5f, -2.f, 1.f}, {4, 2}); }
  static Tensor y() { return constant({1.f, 2.f, 3.f, -1.f}, {4, 1}); }
  static void fit(Model& model, const CallbackRef& callback) {
    model.fit(x(), y(), {.batch_size = 2, .epochs = 3, .verbose = 0, .callbacks = {callback}});
  }
  std::string path(const std::string& name) const { return directory_.path(name); }

 private:
  testing::TemporaryDirectory directory_;
};

TEST_F(CheckpointFiles, AreModelsOfTheirTime) {
  Model model = small_model();
  fit(model, ModelCheckpoint(path("new/{epoch}.h5")));
  Model second = load_model(path("new/2.h5"));
  EXPECT_EQ(second.iterations(), 4);
  second.fit(x(), y(), {.batch_size = 2, .epochs = 3, .verbose = 0, .initial_epoch = 2});
  EXPECT_EQ(second.weights_hash(), model.weights_hash());
}

TEST_F(CheckpointFiles, HoldWeightsAlone) {
  Model model = small_model(), other = small_model();
  fit(model, ModelCheckpoint(path("w.h5"), {.save_weights_only = true}));
  other.load_weights(path("w.h5"));
  EXPECT_EQ(other.weights_hash(), model.weights_hash());
  EXPECT_THROW(load_model(path("w.h5")), IoError);
}

TEST_F(CheckpointFiles, FailOnEveryRankAndLeaveWhatIsThere) {
  std::filesystem::create_directory(path("taken.h5"));
  for (const int ranks : {1, 3}) {
    std::atomic<int> failed = 0;
    testing::run_ranks(ranks, [&](Communicator&) {
      Model model = small_model();
      testing::expect_io_error([&] { fit(model, ModelCheckpoint(path("taken.h5"))); }, path("taken.h5"),
                               "cannot be written: Is a directory");
      ++failed;
    });
    EXPECT_EQ(failed, ranks);
    EXPECT_TRUE(std::filesystem::is_empty(path("taken.h5")));
  }
}

}  // namespace
}  // namespace strata
