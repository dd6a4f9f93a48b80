// SPDX-License-Identifier: Apache-2.0
// BackupAndRestore: runs that end anywhere and go on with the same bits; backups that are not what they should be.
#include <gtest/gtest.h>

#include <filesystem>

#include "strata/strata.h"
#include "tests/io/expect_io_error.h"
#include "tests/support/expect_error.h"
#include "tests/support/files.h"
#include "tests/support/interrupted_training.h"
#include "tests/support/ranks.h"

namespace strata {
namespace {

using callbacks::BackupAndRestore;
using testing::expect_error_with;
using testing::expect_io_error;
using testing::Interrupt;
using testing::Interruption;
using testing::kSmallEpochs;
using testing::kSmallSteps;
using testing::small_adam;
using testing::small_model;
using testing::small_options;
using testing::small_x;
using testing::small_y;
using testing::SmallResult;
using testing::train_small;

class BackupAndRestoreTest : public ::testing::Test {
 protected:
  using Callbacks = std::vector<CallbackRef>;

  /// Interrupted after each of `ends` steps, then run to its end, every time as a new process would. Callbacks may
  /// change in a run, so each gets new ones.
  SmallResult interrupted(const std::vector<int>& ends, const std::function<Optimizer()>& optimizer,
                          const std::function<Callbacks()>& others,
                          const callbacks::BackupAndRestoreOptions& backup) const {
    const auto run = [&](Callbacks callbacks) {
      Callbacks more = others();
      callbacks.insert(callbacks.end(), more.begin(), more.end());
      return train_small(small_model(optimizer()), small_options(callbacks));
    };
    for (const int steps : ends) {
      EXPECT_THROW(run({BackupAndRestore(path("backup"), backup), Interrupt(steps)}), Interruption);
    }
    return run({BackupAndRestore(path("backup"), backup)});
  }

  std::string path(const std::string& name) const { return directory_.path(name); }

 private:
  Session session_;
  SessionScope scope_{session_};
  testing::TemporaryDirectory directory_;
};

std::vector<CallbackRef> nothing() { return {}; }

SmallResult uninterrupted(const Optimizer& optimizer = small_adam(), const std::vector<CallbackRef>& others = {},
                          Dim blocks = 0) {
  return train_small(small_model(optimizer), small_options(others, blocks));
}

TEST_F(BackupAndRestoreTest, GoesOnFromAnyStepBitForBit) {
  const SmallResult whole = uninterrupted();
  for (const Dim frequency : {0, 1, 3}) {
    for (int steps = 0; steps < kSmallEpochs * kSmallSteps; ++steps) {
      SCOPED_TRACE("every " + std::to_string(frequency) + ", after " + std::to_string(steps));
      EXPECT_EQ(interrupted({steps}, small_adam, nothing, {.save_freq = frequency}), whole);
      EXPECT_FALSE(std::filesystem::exists(path("backup")));
    }
  }
}

TEST_F(BackupAndRestoreTest, GoesOnManyTimes) {
  EXPECT_EQ(interrupted({1, 0, 1, 3, 2, 2, 5, 0}, small_adam, nothing, {.save_freq = 1}), uninterrupted());
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
      [] { return optimizers::LossScaleOptimizer(small_adam(), {.initial_scale = 8.0, .dynamic_growth_steps = 3}); }};
  for (std::size_t k = 0; k < kinds.size(); ++k) {
    SCOPED_TRACE(k);
    const SmallResult whole = uninterrupted(kinds[k]());
    for (const int steps : {2, 5, 7, 15}) {
      EXPECT_EQ(interrupted({steps}, kinds[k], nothing, {.save_freq = 1}), whole) << steps;
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
  const SmallResult whole = uninterrupted(small_adam(), others());
  ASSERT_EQ(whole.history.epoch.size(), 3u);  // stopped early
  for (const Dim frequency : {0, 1}) {
    for (int steps = 1; steps < 3 * kSmallSteps; ++steps) {
      SCOPED_TRACE("every " + std::to_string(frequency) + ", after " + std::to_string(steps));
      EXPECT_EQ(interrupted({steps}, small_adam, others, {.save_freq = frequency}), whole);
    }
  }
}

TEST_F(BackupAndRestoreTest, ARunThatHadEndedOnlyEnds) {
  const auto stopping = [] {
    return std::vector<CallbackRef>{callbacks::EarlyStopping({.monitor = "loss", .min_delta = 9.0, .patience = 1})};
  };
  const SmallResult whole = uninterrupted(small_adam(), stopping());
  ASSERT_EQ(whole.history.epoch.size(), 2u);
  const callbacks::BackupAndRestoreOptions keep{.delete_checkpoint = false};
  EXPECT_EQ(interrupted({}, small_adam, stopping, keep), whole);
  EXPECT_EQ(interrupted({}, small_adam, stopping, keep), whole);
}

TEST_F(BackupAndRestoreTest, OnRanksWithEqualBlocks) {
  const SmallResult whole = uninterrupted(small_adam(), {}, 3);
  for (const int ranks : {2, 3}) {
    testing::run_ranks(ranks, [&](Communicator&) {
      Model model = small_model(small_adam());
      EXPECT_THROW(model.fit(small_x(), small_y(),
                             small_options({BackupAndRestore(path("b"), {.save_freq = 1}), Interrupt(5)}, 3)),
                   Interruption);
    });
    // Three go on where two stopped, or two where three did; then one.
    testing::run_ranks(5 - ranks, [&](Communicator&) {
      Model model = small_model(small_adam());
      EXPECT_THROW(model.fit(small_x(), small_y(),
                             small_options({BackupAndRestore(path("b"), {.save_freq = 1}), Interrupt(5)}, 3)),
                   Interruption);
    });
    Model model = small_model(small_adam());
    model.fit(small_x(), small_y(), small_options({BackupAndRestore(path("b"), {.save_freq = 1})}, 3));
    EXPECT_EQ(model.weights_hash(), whole.weights);
  }
}

// Nobody said how many blocks there are: those of the ranks that began, also on others.
TEST_F(BackupAndRestoreTest, OnOtherRanksWithTheBlocksItBeganWith) {
  const SmallResult whole = uninterrupted(small_adam(), {}, 3);
  for (const int ranks : {1, 2, 4}) {
    testing::run_ranks(3, [&](Communicator&) {
      Model model = small_model(small_adam());
      EXPECT_THROW(
          model.fit(small_x(), small_y(), small_options({BackupAndRestore(path("b"), {.save_freq = 1}), Interrupt(5)})),
          Interruption);
    });
    testing::run_ranks(ranks, [&](Communicator&) {
      Model model = small_model(small_adam());
      const auto go_on = [&] {
        return train_small(model, small_options({BackupAndRestore(path("b"), {.save_freq = 1})}));
      };
      if (ranks > 3) return expect_error_with<ConfigError>(go_on, "There are more ranks (4) than blocks (3)");
      const SmallResult rest = go_on();
      EXPECT_EQ(rest, whole) << ranks << " ranks";
      EXPECT_EQ(rest.history.blocks, 3);
    });
  }
}

class BackupFiles : public BackupAndRestoreTest {
 protected:
  std::string backup() const { return path("backup"); }
  std::string latest() const { return backup() + "/step-00000009"; }
  std::string shard() const { return latest() + "/shard-00000-of-00001.h5"; }
  /// Leaves a backup of epoch 2, step 1, and one of the step before.
  void make_backup(bool both = false) const {
    Model model = small_model(small_adam());
    EXPECT_THROW(model.fit(small_x(), small_y(),
                           small_options({BackupAndRestore(backup(), {.save_freq = 1, .double_checkpoint = both}),
                                          Interrupt(2 * kSmallSteps + 1)})),
                 Interruption);
  }
  void fit(Model& model, FitOptions with) const {
    with.callbacks = {BackupAndRestore(backup())};
    model.fit(small_x(), small_y(), with);
  }
  void damage() const {
    std::string bytes = testing::read_text(shard());
    bytes[bytes.size() / 2] ^= 0x5A;
    testing::write_file(shard(), testing::Bytes(bytes.begin(), bytes.end()));
  }
};

TEST_F(BackupFiles, OfAnotherRunAreRefused) {
  make_backup();
  Model model = small_model(small_adam());
  FitOptions other = small_options();
  other.batch_size = 10;
  expect_error_with<ConfigError>([&] { fit(model, other); }, "had batch_size = 11, this one has 10");
  other = small_options();
  other.shuffle = false;
  expect_error_with<ConfigError>([&] { fit(model, other); }, "had shuffle = true, this one has false");
  expect_error_with<ConfigError>([&] { fit(model, small_options({}, 2)); }, "had blocks = 1, this one has 2");
  Model sgd = small_model("sgd");
  expect_error_with<ConfigError>([&] { fit(sgd, small_options()); }, "had optimizer = \"Adam\", this one has \"SGD\"");
  Model beta = small_model(optimizers::Adam({.learning_rate = 0.01, .beta_1 = 0.8}));
  expect_error_with<ConfigError>([&] { fit(beta, small_options()); },
                                 "had the optimizer's beta_1 = 0.9, this one has 0.8");
  Model wide = small_model(small_adam(), 9);
  expect_error_with<ConfigError>([&] { fit(wide, small_options()); },
                                 latest() +
                                     ": the run that made this checkpoint had "
                                     "model.config.layers[1].config.units = 8, this one has 9");
  set_seed(5);
  Model seeded = small_model(small_adam());
  expect_error_with<ConfigError>([&] { fit(seeded, small_options()); }, "had seed = \"0\", this one has \"5\"");
}

TEST_F(BackupFiles, MayGoOnForMoreEpochs) {
  make_backup();
  Model model = small_model(small_adam()), whole = small_model(small_adam());
  FitOptions more = small_options();
  more.epochs = 6;
  fit(model, more);
  whole.fit(small_x(), small_y(), more);
  EXPECT_EQ(model.weights_hash(), whole.weights_hash());
}

TEST_F(BackupFiles, ThatAreDamagedAreRefused) {
  make_backup();
  damage();
  Model model = small_model(small_adam());
  expect_io_error([&] { fit(model, small_options()); }, backup(),
                  "none of its checkpoints, of the steps [9], is whole: " + shard());
  std::atomic<int> failed = 0;
  testing::run_ranks(2, [&](Communicator&) {
    Model one = small_model(small_adam());
    expect_io_error([&] { fit(one, small_options()); }, backup(), "is damaged");
    ++failed;
  });
  EXPECT_EQ(failed, 2);
}

TEST_F(BackupFiles, TheOneBeforeServesWhenTheLastIsDamaged) {
  const SmallResult whole = uninterrupted();
  for (const bool absent : {false, true}) {
    make_backup(true);
    if (absent) std::filesystem::remove(latest() + "/manifest.json");  // as before it is complete
    else damage();
    Model model = small_model(small_adam());
    ::testing::internal::CaptureStdout();
    fit(model, small_options());
    const std::string said = ::testing::internal::GetCapturedStdout();
    EXPECT_EQ(said.find("Training continues from the checkpoint of step 8.") != std::string::npos, !absent) << said;
    EXPECT_EQ(model.weights_hash(), whole.weights);
    EXPECT_FALSE(std::filesystem::exists(backup()));
  }
}

TEST_F(BackupFiles, OthersInTheDirectoryStay) {
  make_backup();
  testing::write_file(backup() + "/mine.txt", {1});
  testing::write_file(latest() + "/left.part", {1});
  Model model = small_model(small_adam());
  fit(model, small_options());
  std::vector<std::string> left;
  for (const auto& entry : std::filesystem::directory_iterator(backup())) left.push_back(entry.path().filename());
  EXPECT_EQ(left, (std::vector<std::string>{"mine.txt"}));
}

TEST_F(BackupFiles, ThatCannotBeWrittenFailOnEveryRank) {
  testing::write_file(path("file"), {1});
  std::atomic<int> failed = 0;
  testing::run_ranks(2, [&](Communicator&) {
    Model model = small_model(small_adam());
    EXPECT_THROW(model.fit(small_x(), small_y(), small_options({BackupAndRestore(path("file"))})), IoError);
    ++failed;
  });
  EXPECT_EQ(failed, 2);
  EXPECT_THROW(BackupAndRestore(""), ConfigError);
  EXPECT_THROW(BackupAndRestore("x", {.save_freq = -1}), ConfigError);
}

}  // namespace
}  // namespace strata
