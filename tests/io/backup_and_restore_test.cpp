// SPDX-License-Identifier: Apache-2.0
// BackupAndRestore: runs that end anywhere and go on with the same bits; backups that are not what they should be.
#include <gtest/gtest.h>

#include <filesystem>

#include "strata/strata.h"
#include "tests/io/expect_io_error.h"
#include "tests/support/expect_error.h"
#include "tests/support/files.h"
#include "tests/support/ranks.h"

namespace strata {
namespace {

using callbacks::BackupAndRestore;
using testing::expect_error_with;
using testing::expect_io_error;

constexpr int kEpochs = 4;
constexpr int kSteps = 4;  // an epoch, the last of them with fewer samples

struct Interruption : std::runtime_error {
  Interruption() : std::runtime_error("interrupted") {}
};

/// Ends the process, as far as fit can tell, after so many steps of this run.
struct Interrupt : Callback {
  explicit Interrupt(int steps) : left(steps) {}
  void on_train_batch_begin(Dim) override {
    if (left-- == 0) throw Interruption();
  }
  int left;
};

/// Values that repeat after 101 of them.
Tensor x() {
  std::vector<float> values(40 * 6);
  for (std::size_t i = 0; i < values.size(); ++i) values[i] = static_cast<float>(i * 37 % 101) / 50.0F - 1.0F;
  return constant(values, {40, 6});
}

Tensor y() {
  std::vector<std::int32_t> values(40);
  for (std::size_t i = 0; i < values.size(); ++i) values[i] = static_cast<std::int32_t>(i * 7 % 3);
  return constant(values, {40});
}

/// As a new process would make it: under the same names, on which random draws depend, and with the same weights.
Model compiled_model(const Optimizer& optimizer, Dim units = 8) {
  clear_session();
  set_seed(Session::current().seed());
  const Tensor input = Input({6});
  const Tensor hidden = layers::Dropout(0.3)(layers::Dense(units, {.activation = "relu"})(input));
  Model model(input, layers::Dense(3)(layers::BatchNormalization()(hidden)), "small");
  model.compile({.optimizer = optimizer,
                 .loss = losses::SparseCategoricalCrossentropy({.from_logits = true}),
                 .metrics = {"accuracy"}});
  return model;
}

struct Result {
  std::uint64_t weights = 0;
  History history = {};
  friend bool operator==(const Result& a, const Result& b) {
    return a.weights == b.weights && a.history.epoch == b.history.epoch && a.history.history == b.history.history;
  }
};

class BackupAndRestoreTest : public ::testing::Test {
 protected:
  using Callbacks = std::vector<CallbackRef>;

  static FitOptions options(const Callbacks& callbacks, Dim blocks = 0) {
    return {.batch_size = 11,
            .epochs = kEpochs,
            .verbose = 0,
            .callbacks = callbacks,
            .validation_data = {x(), y()},
            .blocks = blocks};
  }

  /// A whole run with `others`, which a run may change, so each gets new ones.
  static Result uninterrupted(const Optimizer& optimizer, const std::function<Callbacks()>& others, Dim blocks = 0) {
    Model model = compiled_model(optimizer);
    Result result;
    result.history = model.fit(x(), y(), options(others(), blocks));
    result.weights = model.weights_hash();
    return result;
  }

  /// Interrupted after each of `ends` steps, then run to its end, every time as a new process would.
  Result interrupted(const std::vector<int>& ends, const std::function<Optimizer()>& optimizer,
                     const std::function<Callbacks()>& others, const callbacks::BackupAndRestoreOptions& backup) const {
    const auto run = [&](Callbacks callbacks) {
      Model model = compiled_model(optimizer());
      Callbacks more = others();
      callbacks.insert(callbacks.end(), more.begin(), more.end());
      Result result;
      result.history = model.fit(x(), y(), options(callbacks));
      result.weights = model.weights_hash();
      return result;
    };
    for (const int steps : ends) {
      EXPECT_THROW(run({BackupAndRestore(path("backup"), backup), Interrupt(steps)}), Interruption);
    }
    return run({BackupAndRestore(path("backup"), backup)});
  }

  /// The epochs from `first` on.
  static Result last_epochs(Result all, int first) {
    all.history.epoch.erase(all.history.epoch.begin(), all.history.epoch.begin() + first);
    for (auto& [name, values] : all.history.history) values.erase(values.begin(), values.begin() + first);
    return all;
  }

  std::string path(const std::string& name) const { return directory_.path(name); }

 private:
  Session session_;
  SessionScope scope_{session_};
  testing::TemporaryDirectory directory_;
};

Optimizer adam() { return optimizers::Adam({.learning_rate = 0.01}); }
std::vector<CallbackRef> nothing() { return {}; }

TEST_F(BackupAndRestoreTest, GoesOnFromAnyStepBitForBit) {
  const Result whole = uninterrupted(adam(), nothing);
  for (const Dim frequency : {0, 1, 3}) {
    for (int steps = 0; steps < kEpochs * kSteps; ++steps) {
      SCOPED_TRACE("every " + std::to_string(frequency) + ", after " + std::to_string(steps));
      const int every = frequency == 0 ? kSteps : static_cast<int>(frequency), saved = steps / every * every;
      // All steps of an epoch may be in the backup and not yet its end.
      const int first = frequency == 0 || saved == 0 ? saved / kSteps : (saved - 1) / kSteps;
      EXPECT_EQ(interrupted({steps}, adam, nothing, {.save_freq = frequency}), last_epochs(whole, first));
      EXPECT_FALSE(std::filesystem::exists(path("backup")));
    }
  }
}

TEST_F(BackupAndRestoreTest, GoesOnManyTimes) {
  const Result whole = uninterrupted(adam(), nothing);
  EXPECT_EQ(interrupted({1, 0, 1, 3, 2, 2, 5, 0}, adam, nothing, {.save_freq = 1}), last_epochs(whole, 3));
}

TEST_F(BackupAndRestoreTest, WithEveryKindOfOptimizerState) {
  const std::vector<std::function<Optimizer()>> kinds = {
      [] { return optimizers::Nadam({.learning_rate = 0.01}); },
      [] { return optimizers::Adam({.learning_rate = 0.01}, {.use_ema = true, .ema_overwrite_frequency = 3}); },
      [] { return optimizers::Adam({.learning_rate = 0.01}, {.gradient_accumulation_steps = 2}); },
      [] {
        return optimizers::SGD({.learning_rate = schedules::ExponentialDecay({0.1, 3, 0.7}), .momentum = 0.9});
      },
      [] { return optimizers::SGD({.learning_rate = 0.1}); },
      [] { return optimizers::LossScaleOptimizer(adam(), {.initial_scale = 8.0, .dynamic_growth_steps = 3}); }};
  for (std::size_t k = 0; k < kinds.size(); ++k) {
    SCOPED_TRACE(k);
    const Result whole = uninterrupted(kinds[k](), nothing);
    for (const int steps : {2, 5, 7, 15}) {
      EXPECT_EQ(interrupted({steps}, kinds[k], nothing, {.save_freq = 1}).weights, whole.weights) << steps;
    }
  }
}

/// Callbacks whose decisions depend on all epochs before: the rate that is no float32, patience, the best weights.
TEST_F(BackupAndRestoreTest, CallbacksRemember) {
  const auto others = [] {
    return std::vector<CallbackRef>{
        callbacks::LearningRateScheduler([](int epoch, double rate) { return epoch == 0 ? rate : rate * 0.9; }),
        callbacks::ReduceLROnPlateau({.monitor = "loss", .factor = 0.7, .patience = 1, .min_delta = 0.2}),
        callbacks::EarlyStopping(
            {.monitor = "val_loss", .min_delta = 0.5, .patience = 2, .restore_best_weights = true})};
  };
  const Result whole = uninterrupted(adam(), others);
  ASSERT_EQ(whole.history.epoch.size(), 3u);  // stopped early
  for (const Dim frequency : {0, 1}) {
    for (int steps = 1; steps < 3 * kSteps; ++steps) {
      SCOPED_TRACE("every " + std::to_string(frequency) + ", after " + std::to_string(steps));
      const Result rest = interrupted({steps}, adam, others, {.save_freq = frequency});
      EXPECT_EQ(rest.weights, whole.weights);
      const auto first = static_cast<std::ptrdiff_t>(3 - rest.history.epoch.size());
      EXPECT_EQ(rest, last_epochs(whole, static_cast<int>(first)));
    }
  }
}

TEST_F(BackupAndRestoreTest, ARunThatHadEndedOnlyEnds) {
  const auto stopping = [] {
    return std::vector<CallbackRef>{callbacks::EarlyStopping({.monitor = "loss", .min_delta = 9.0, .patience = 1})};
  };
  const Result whole = uninterrupted(adam(), stopping);
  ASSERT_EQ(whole.history.epoch.size(), 2u);
  const callbacks::BackupAndRestoreOptions keep{.delete_checkpoint = false};
  EXPECT_EQ(interrupted({}, adam, stopping, keep), whole);
  const Result again = interrupted({}, adam, stopping, keep);
  EXPECT_EQ(again.weights, whole.weights);
  EXPECT_TRUE(again.history.epoch.empty());
}

TEST_F(BackupAndRestoreTest, OnRanksWithEqualBlocks) {
  const Result whole = uninterrupted(adam(), nothing, 3);
  for (const int ranks : {2, 3}) {
    testing::run_ranks(ranks, [&](Communicator&) {
      Model model = compiled_model(adam());
      EXPECT_THROW(model.fit(x(), y(), options({BackupAndRestore(path("b"), {.save_freq = 1}), Interrupt(5)}, 3)),
                   Interruption);
    });
    // Three go on where two stopped, or two where three did; then one.
    testing::run_ranks(5 - ranks, [&](Communicator&) {
      Model model = compiled_model(adam());
      EXPECT_THROW(model.fit(x(), y(), options({BackupAndRestore(path("b"), {.save_freq = 1}), Interrupt(5)}, 3)),
                   Interruption);
    });
    Model model = compiled_model(adam());
    model.fit(x(), y(), options({BackupAndRestore(path("b"), {.save_freq = 1})}, 3));
    EXPECT_EQ(model.weights_hash(), whole.weights);
  }
}

// Nobody said how many blocks there are: those of the ranks that began, also on others.
TEST_F(BackupAndRestoreTest, OnOtherRanksWithTheBlocksItBeganWith) {
  const Result whole = uninterrupted(adam(), nothing, 3);
  for (const int ranks : {1, 2, 4}) {
    testing::run_ranks(3, [&](Communicator&) {
      Model model = compiled_model(adam());
      EXPECT_THROW(model.fit(x(), y(), options({BackupAndRestore(path("b"), {.save_freq = 1}), Interrupt(5)})),
                   Interruption);
    });
    testing::run_ranks(ranks, [&](Communicator&) {
      Model model = compiled_model(adam());
      const auto go_on = [&] { return model.fit(x(), y(), options({BackupAndRestore(path("b"), {.save_freq = 1})})); };
      if (ranks > 3) return expect_error_with<ConfigError>(go_on, "There are more ranks (4) than blocks (3)");
      const Result rest{model.weights_hash(), go_on()};
      EXPECT_EQ(model.weights_hash(), whole.weights) << ranks << " ranks";
      EXPECT_EQ(rest.history.blocks, 3);
      EXPECT_EQ(rest.history.history, last_epochs(whole, rest.history.epoch.at(0)).history.history);
    });
  }
}

class BackupFiles : public BackupAndRestoreTest {
 protected:
  std::string backup() const { return path("backup"); }
  std::string latest() const { return backup() + "/latest.h5"; }
  /// Leaves a backup of epoch 2, step 1, and one of the step before.
  void make_backup(bool both = false) const {
    Model model = compiled_model(adam());
    EXPECT_THROW(model.fit(x(), y(),
                           options({BackupAndRestore(backup(), {.save_freq = 1, .double_checkpoint = both}),
                                    Interrupt(2 * kSteps + 1)})),
                 Interruption);
  }
  void fit(Model& model, FitOptions with) const {
    with.callbacks = {BackupAndRestore(backup())};
    model.fit(x(), y(), with);
  }
  void damage() const {
    std::string bytes = testing::read_text(latest());
    bytes[bytes.size() / 2] ^= 0x5A;
    testing::write_file(latest(), testing::Bytes(bytes.begin(), bytes.end()));
  }
};

TEST_F(BackupFiles, OfAnotherRunAreRefused) {
  make_backup();
  Model model = compiled_model(adam());
  FitOptions other = options({});
  other.batch_size = 10;
  expect_error_with<ConfigError>([&] { fit(model, other); }, "had batch_size = 11, this one has 10");
  other = options({});
  other.shuffle = false;
  expect_error_with<ConfigError>([&] { fit(model, other); }, "had shuffle = true, this one has false");
  expect_error_with<ConfigError>([&] { fit(model, options({}, 2)); }, "had blocks = 1, this one has 2");
  Model sgd = compiled_model("sgd");
  expect_error_with<ConfigError>([&] { fit(sgd, options({})); }, "had optimizer = \"Adam\", this one has \"SGD\"");
  Model beta = compiled_model(optimizers::Adam({.learning_rate = 0.01, .beta_1 = 0.8}));
  expect_error_with<ConfigError>([&] { fit(beta, options({})); }, "had the optimizer's beta_1 = 0.9, this one has 0.8");
  Model wide = compiled_model(adam(), 9);
  expect_io_error([&] { fit(wide, options({})); }, latest(),
                  "Shape mismatch in layer #0 (named dense) for weight dense/kernel. Weight expects shape (6, 9). "
                  "Received saved weight with shape (6, 8)");
  set_seed(5);
  Model seeded = compiled_model(adam());
  expect_error_with<ConfigError>([&] { fit(seeded, options({})); }, "had seed = \"0\", this one has \"5\"");
}

TEST_F(BackupFiles, MayGoOnForMoreEpochs) {
  make_backup();
  Model model = compiled_model(adam()), whole = compiled_model(adam());
  FitOptions more = options({});
  more.epochs = 6;
  fit(model, more);
  whole.fit(x(), y(), more);
  EXPECT_EQ(model.weights_hash(), whole.weights_hash());
}

TEST_F(BackupFiles, ThatAreDamagedAreRefused) {
  make_backup();
  damage();
  Model model = compiled_model(adam());
  expect_io_error([&] { fit(model, options({})); }, latest(), "is damaged");
  compiled_model(adam()).save(latest());
  expect_io_error([&] { fit(model, options({})); }, latest(), "expected a backup of training");
  std::atomic<int> failed = 0;
  damage();
  testing::run_ranks(2, [&](Communicator&) {
    Model one = compiled_model(adam());
    expect_io_error([&] { fit(one, options({}, 2)); }, latest(), "is damaged");
    ++failed;
  });
  EXPECT_EQ(failed, 2);
}

TEST_F(BackupFiles, TheOneBeforeServesWhenTheLastIsDamaged) {
  const Result whole = uninterrupted(adam(), nothing);
  for (const bool absent : {false, true}) {
    make_backup(true);
    if (absent) std::filesystem::remove(latest());  // as between the two renames
    else damage();
    Model model = compiled_model(adam());
    ::testing::internal::CaptureStdout();
    fit(model, options({}));
    EXPECT_EQ(::testing::internal::GetCapturedStdout().find("Training continues from ") != std::string::npos, !absent);
    EXPECT_EQ(model.weights_hash(), whole.weights);
    EXPECT_FALSE(std::filesystem::exists(backup()));
  }
}

TEST_F(BackupFiles, OthersInTheDirectoryStay) {
  make_backup();
  testing::write_file(backup() + "/mine.txt", {1});
  testing::write_file(latest() + ".part1", {1});
  Model model = compiled_model(adam());
  fit(model, options({}));
  std::vector<std::string> left;
  for (const auto& entry : std::filesystem::directory_iterator(backup())) left.push_back(entry.path().filename());
  EXPECT_EQ(left, (std::vector<std::string>{"mine.txt"}));
}

TEST_F(BackupFiles, ThatCannotBeWrittenFailOnEveryRank) {
  testing::write_file(path("file"), {1});
  std::atomic<int> failed = 0;
  testing::run_ranks(2, [&](Communicator&) {
    Model model = compiled_model(adam());
    EXPECT_THROW(model.fit(x(), y(), options({BackupAndRestore(path("file"))})), IoError);
    ++failed;
  });
  EXPECT_EQ(failed, 2);
  EXPECT_THROW(BackupAndRestore(""), ConfigError);
  EXPECT_THROW(BackupAndRestore("x", {.save_freq = -1}), ConfigError);
}

}  // namespace
}  // namespace strata
