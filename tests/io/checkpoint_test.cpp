// SPDX-License-Identifier: Apache-2.0
// Checkpoints of fit: runs that end anywhere and go on with the same bits, on any number of ranks.
#include <gtest/gtest.h>

#include <atomic>
#include <cmath>
#include <filesystem>

#include "core/training/preemption.h"
#include "strata/strata.h"
#include "tests/io/expect_io_error.h"
#include "tests/support/expect_error.h"
#include "tests/support/files.h"
#include "tests/support/interrupted_training.h"
#include "tests/support/ranks.h"

namespace strata {
namespace {

using testing::expect_error_with;
using testing::expect_io_error;
using testing::Interrupt;
using testing::Interruption;
using testing::kSmallEpochs;
using testing::kSmallSteps;
using testing::small_adam;
using testing::small_model;
using testing::small_options;
using testing::SmallResult;
using testing::train_small;

using Callbacks = std::vector<CallbackRef>;

class CheckpointTest : public ::testing::Test {
 protected:
  std::string path(const std::string& name = "c") const { return directory_.path(name); }

  FitOptions options(CheckpointOptions checkpoint, const Callbacks& callbacks = {}, Dim blocks = 0) const {
    FitOptions all = small_options(callbacks, blocks);
    all.checkpoint = std::move(checkpoint);
    if (all.checkpoint.directory.empty()) all.checkpoint.directory = path();
    return all;
  }

  /// The steps of the complete checkpoints that are there.
  std::vector<std::int64_t> steps(const std::string& name = "c") const { return checkpoint_files().steps(path(name)); }

  void interrupt(int steps, const CheckpointOptions& checkpoint, const Optimizer& optimizer = small_adam()) const {
    EXPECT_THROW(train_small(small_model(optimizer), options(checkpoint, {Interrupt(steps)})), Interruption);
  }
  void clear() const { std::filesystem::remove_all(path()); }

 private:
  Session session_;
  SessionScope scope_{session_};
  testing::TemporaryDirectory directory_;
};

SmallResult uninterrupted(const Callbacks& callbacks = {}, Dim blocks = 0, const Optimizer& optimizer = small_adam()) {
  return train_small(small_model(optimizer), small_options(callbacks, blocks));
}

TEST_F(CheckpointTest, GoesOnFromAnyStepBitForBit) {
  const SmallResult whole = uninterrupted();
  for (const Dim every : {0, 1, 3}) {
    for (int stop = 0; stop < kSmallEpochs * kSmallSteps; ++stop) {
      SCOPED_TRACE("every " + std::to_string(every) + ", after " + std::to_string(stop));
      clear();
      interrupt(stop, {.every_steps = every});
      interrupt(1, {.every_steps = every});
      // What is trained again ends the run here.
      const int left = kSmallEpochs * kSmallSteps - static_cast<int>(steps().empty() ? 0 : steps().back());
      EXPECT_EQ(train_small(small_model(small_adam()), options({.every_steps = every}, {Interrupt(left)})), whole);
      EXPECT_EQ(steps().back(), kSmallEpochs * kSmallSteps);
    }
  }
}

TEST_F(CheckpointTest, WithEveryKindOfOptimizerState) {
  const std::vector<std::function<Optimizer()>> kinds = {
      [] { return optimizers::Adam({.learning_rate = 0.01}, {.use_ema = true, .ema_overwrite_frequency = 3}); },
      [] { return optimizers::Adam({.learning_rate = 0.01}, {.gradient_accumulation_steps = 2}); },
      [] {
        return optimizers::SGD({.learning_rate = schedules::ExponentialDecay({0.1, 3, 0.7}), .momentum = 0.9});
      },
      [] { return optimizers::SGD({.learning_rate = 0.1}); },
      [] { return optimizers::LossScaleOptimizer(small_adam(), {.initial_scale = 8.0, .dynamic_growth_steps = 3}); }};
  for (std::size_t k = 0; k < kinds.size(); ++k) {
    SCOPED_TRACE(k);
    clear();
    const SmallResult whole = uninterrupted({}, 0, kinds[k]());
    interrupt(7, {.every_steps = 2}, kinds[k]());
    EXPECT_EQ(train_small(small_model(kinds[k]()), options({.every_steps = 2})), whole);
    // Once more, from its end.
    EXPECT_EQ(train_small(small_model(kinds[k]()), options({.every_steps = 2})), whole);
  }
}

TEST_F(CheckpointTest, CallbacksRemember) {
  const auto others = [](const Callbacks& more = {}) {
    Callbacks all{
        callbacks::LearningRateScheduler([](int epoch, double rate) { return epoch == 0 ? rate : rate * 0.9; }),
        callbacks::ReduceLROnPlateau({.monitor = "loss", .factor = 0.7, .patience = 1, .min_delta = 0.2}),
        callbacks::EarlyStopping(
            {.monitor = "val_loss", .min_delta = 0.5, .patience = 2, .restore_best_weights = true})};
    all.insert(all.end(), more.begin(), more.end());
    return all;
  };
  const SmallResult whole = uninterrupted(others());
  ASSERT_EQ(whole.history.epoch.size(), 3u);  // stopped early
  for (int stop = 1; stop < 3 * kSmallSteps; ++stop) {
    SCOPED_TRACE(stop);
    clear();
    EXPECT_THROW(train_small(small_model(small_adam()), options({.every_steps = 1}, others({Interrupt(stop)}))),
                 Interruption);
    EXPECT_EQ(train_small(small_model(small_adam()), options({.every_steps = 1}, others())), whole);
  }
  // The rate is then that of the optimizer within another.
  const auto scaled = [] { return small_model(optimizers::LossScaleOptimizer(small_adam())); };
  clear();
  EXPECT_THROW(train_small(scaled(), options({.every_steps = 1}, others({Interrupt(2 * kSmallSteps + 1)}))),
               Interruption);
  EXPECT_EQ(train_small(scaled(), options({.every_steps = 1}, others())),
            uninterrupted(others(), 0, optimizers::LossScaleOptimizer(small_adam())));
}

/// Saved by so many ranks, sharded or not, continued by others.
TEST_F(CheckpointTest, OnOtherNumbersOfRanks) {
  const SmallResult whole = uninterrupted({}, 8);
  for (const auto& [from, saved_sharded] : {std::pair{4, false}, {4, true}, {1, false}, {3, true}}) {
    for (const int to : {1, 2, 3, 8}) {
      for (const bool sharded : {false, true}) {
        SCOPED_TRACE(std::to_string(from) + (saved_sharded ? " sharded" : "") + " to " + std::to_string(to) +
                     (sharded ? " sharded" : ""));
        clear();
        testing::run_ranks(from, [&, shard = saved_sharded](Communicator&) {
          EXPECT_THROW(train_small(small_model(small_adam(), 8, shard), options({.every_steps = 3}, {Interrupt(7)}, 8)),
                       Interruption);
        });
        testing::run_ranks(to, [&](Communicator&) {
          // Nobody says how many blocks there are.
          EXPECT_EQ(train_small(small_model(small_adam(), 8, sharded), options({.every_steps = 3})), whole);
        });
      }
    }
  }
}

/// More ranks than may write: the first of this host does.
TEST_F(CheckpointTest, OneRankWritesForItsHostWhenThereAreMany) {
  const SmallResult whole = uninterrupted({}, 4);
  for (const bool sharded : {false, true}) {
    SCOPED_TRACE(sharded);
    clear();
    testing::run_ranks(4, [&](Communicator&) {
      EXPECT_THROW(train_small(small_model(small_adam(), 8, sharded),
                               options({.every_steps = 3, .most_shards = 3}, {Interrupt(9)}, 4)),
                   Interruption);
    });
    EXPECT_TRUE(std::filesystem::exists(path() + "/step-00000006/shard-00000-of-00001.h5"));
    testing::run_ranks(3, [&](Communicator&) {
      EXPECT_EQ(train_small(small_model(small_adam(), 8, !sharded), options({.every_steps = 3})), whole);
    });
    EXPECT_TRUE(std::filesystem::exists(path() + "/step-00000016/shard-00002-of-00003.h5"));
  }
}

TEST_F(CheckpointTest, LogFilesAreThoseOfAnUninterruptedRun) {
  for (const bool append : {false, true}) {
    testing::write_file(path("log"), {'x', '\n'});
    uninterrupted({callbacks::CSVLogger(path("log"), {.append = append})});
    const std::string whole = testing::read_text(path("log"));
    for (const int stop : {3, 4, 6, 13}) {
      clear();
      testing::write_file(path("log"), {'x', '\n'});
      const auto logger = [&] { return callbacks::CSVLogger(path("log"), {.append = append}); };
      EXPECT_THROW(train_small(small_model(small_adam()), options({.every_steps = 3}, {logger(), Interrupt(stop)})),
                   Interruption);
      train_small(small_model(small_adam()), options({.every_steps = 3}, {logger()}));
      // Before the first checkpoint nothing is continued.
      if (append && stop < 6) continue;
      EXPECT_EQ(testing::read_text(path("log")), whole) << append << ", after " << stop;
    }
  }
}

/// Weights that are not numbers, and logs that are none, come back as they were.
TEST_F(CheckpointTest, WhatIsNotFinite) {
  const auto options_of = [&](int stop) {
    Callbacks callbacks;
    if (stop > 0) callbacks.push_back(Interrupt(stop));
    return options({.every_steps = 2}, callbacks);
  };
  const auto sgd = [] { return optimizers::SGD({.learning_rate = 1e30}); };
  clear();
  EXPECT_THROW(train_small(small_model(sgd()), options_of(7)), Interruption);
  const SmallResult rest = train_small(small_model(sgd()), options_of(0));
  const SmallResult whole = uninterrupted({}, 0, sgd());
  EXPECT_EQ(rest.weights, whole.weights);
  EXPECT_TRUE(std::isnan(whole.history.at("loss")[0]));
  EXPECT_TRUE(std::isnan(rest.history.at("loss")[0]));
}

TEST_F(CheckpointTest, OfModelsWithSettingsThatAreNotFinite) {
  const auto model = [] {
    clear_session();
    const Tensor input = Input({6});
    const Tensor hidden = layers::ReLU({.max_value = std::numeric_limits<double>::infinity()})(input);
    Model made(input, layers::Dense(3)(hidden));
    made.compile({.optimizer = small_adam(), .loss = losses::SparseCategoricalCrossentropy({.from_logits = true})});
    return made;
  };
  clear();
  EXPECT_THROW(train_small(model(), options({.every_steps = 2}, {Interrupt(7)})), Interruption);
  EXPECT_GE(train_small(model(), options({.every_steps = 2})).history.resumed_steps, 4);
}

TEST_F(CheckpointTest, KeepsTheLast) {
  interrupt(10, {.every_steps = 2, .keep = 3});
  EXPECT_EQ(steps(), (std::vector<std::int64_t>{4, 6, 8}));  // that of step 10 was only begun
  clear();
  train_small(small_model(small_adam()), options({.every_steps = 5, .keep = 1}));
  EXPECT_EQ(steps(), (std::vector<std::int64_t>{16}));
  clear();
  train_small(small_model(small_adam()), options({.keep = 9}));
  EXPECT_EQ(steps(), (std::vector<std::int64_t>{4, 8, 12, 16}));
}

TEST_F(CheckpointTest, ByTime) {
  train_small(small_model(small_adam()), options({.every_seconds = 1e-9, .keep = 99}));
  EXPECT_EQ(steps().size(), 16u);
  clear();
  train_small(small_model(small_adam()), options({.every_seconds = 1e9, .keep = 99}));
  EXPECT_EQ(steps(), (std::vector<std::int64_t>{16}));
}

TEST_F(CheckpointTest, MaxStepsEndsInTheMiddleOfAnEpochAndMoreGoOn) {
  const SmallResult whole = uninterrupted();
  FitOptions some = options({.every_steps = 100});
  some.max_steps = 6;
  const SmallResult first = train_small(small_model(small_adam()), some);
  EXPECT_EQ(steps(), (std::vector<std::int64_t>{6}));
  EXPECT_EQ(train_small(small_model(small_adam()), some), first);
  some.max_steps = 0;
  EXPECT_EQ(train_small(small_model(small_adam()), some), whole);
}

TEST_F(CheckpointTest, NeverOrFromAStepThatIsNamed) {
  const SmallResult whole = uninterrupted();
  FitOptions all = options({.every_steps = 3, .keep = 9});
  train_small(small_model(small_adam()), all);
  all.resume = "6";
  EXPECT_EQ(train_small(small_model(small_adam()), all), whole);
  EXPECT_TRUE(std::filesystem::exists(path() + "/step-00000009.superseded"));
  all.resume = "7";
  expect_error_with<ConfigError>([&] { train_small(small_model(small_adam()), all); },
                                 "expected resume to be one of the steps [3, 6, 9, 12, 15, 16], received 7");
  all.resume = "never";
  set_seed(3);  // another run, which the old checkpoints do not hinder
  train_small(small_model(small_adam()), all);
  EXPECT_TRUE(std::filesystem::exists(path() + "/step-00000003.superseded"));
  EXPECT_TRUE(std::filesystem::exists(path() + "/step-00000009.superseded-2"));
  EXPECT_EQ(steps(), (std::vector<std::int64_t>{3, 6, 9, 12, 15, 16}));
}

TEST_F(CheckpointTest, OfAnotherRunAreRefused) {
  interrupt(8, {.every_steps = 2});
  const auto refuses = [&](const Model& model, const FitOptions& other, const std::string& difference) {
    expect_error_with<ConfigError>([&] { train_small(model, other); },
                                   "the run that made this checkpoint had " + difference);
  };
  FitOptions other = options({});
  other.batch_size = 10;
  refuses(small_model(small_adam()), other, "batch_size = 11, this one has 10");
  other = options({}, {callbacks::CSVLogger(path("log.csv"))});
  other.batch_size = 10;
  testing::write_file(path("log.csv"), {'k', 'e', 'p', 't'});
  refuses(small_model(small_adam()), other, "batch_size = 11, this one has 10");
  EXPECT_EQ(testing::read_text(path("log.csv")), "kept");
  other = options({});
  other.class_weight = {{1, 2.0}};
  refuses(small_model(small_adam()), other, "class_weight = null, this one has {\"1\": 2.0}");
  refuses(small_model("sgd"), options({}), "optimizer = \"Adam\", this one has \"SGD\"");
  refuses(small_model(small_adam(), 9), options({}), "model.config.layers[1].config.units = 8, this one has 9");
  Model metrics = small_model(small_adam());
  metrics.compile({.optimizer = small_adam(), .loss = losses::SparseCategoricalCrossentropy({.from_logits = true})});
  refuses(metrics, options({}), "compile.metrics = ");
  EXPECT_EQ(steps(), (std::vector<std::int64_t>{4, 6}));
}

TEST_F(CheckpointTest, OptionsThatCannotBeHonoured) {
  const auto refuses = [&](const CheckpointOptions& checkpoint, const std::string& what) {
    expect_error_with<ConfigError>([&] { train_small(small_model(small_adam()), options(checkpoint)); }, what);
  };
  refuses({.every_steps = -1}, "every_steps to be at least 0, received -1");
  refuses({.every_seconds = -1}, "every_seconds to be at least 0, received -1");
  refuses({.keep = 0}, "to keep at least 1 checkpoint, received 0");
  refuses({.most_shards = 0}, "most_shards of at least 1, received 0");
  refuses({.save_before = -1}, "save_before to be at least 0 seconds, received -1");
  refuses({.deadline = 0}, "deadline to be more than 0 seconds, received 0");
  FitOptions all = options({});
  all.resume = "soon";
  expect_error_with<ConfigError>([&] { train_small(small_model(small_adam()), all); },
                                 "expected resume to be \"auto\", \"never\" or a step, received \"soon\"");
  all = small_options();
  all.checkpoint.every_steps = 3;
  expect_error_with<ConfigError>([&] { train_small(small_model(small_adam()), all); }, "expected a directory");
}

TEST_F(CheckpointTest, TheOneBeforeServesWhenTheLastIsDamaged) {
  const SmallResult whole = uninterrupted({}, 3);
  testing::run_ranks(3, [&](Communicator&) {
    EXPECT_THROW(train_small(small_model(small_adam()), options({.every_steps = 2, .keep = 3}, {Interrupt(10)}, 3)),
                 Interruption);
  });
  const std::string shard = path() + "/step-00000008/shard-00001-of-00003.h5";
  std::filesystem::resize_file(shard, std::filesystem::file_size(shard) - 1);
  ::testing::internal::CaptureStdout();
  testing::run_ranks(2, [&](Communicator&) {
    EXPECT_EQ(train_small(small_model(small_adam()), options({.every_steps = 2}, {}, 3)), whole);
  });
  const std::string said = ::testing::internal::GetCapturedStdout();
  EXPECT_NE(said.find("Training continues from the checkpoint of step 6."), std::string::npos) << said;
  EXPECT_NE(said.find(shard + ": is damaged"), std::string::npos) << said;
  EXPECT_TRUE(std::filesystem::exists(path() + "/step-00000008.damaged"));
}

/// Tells the run to stop, on one rank, after so many steps.
struct Tell : Callback {
  explicit Tell(Dim after) : step(after) {}
  void on_train_batch_end(Dim, const Logs&) override {
    if (parameters().rank == parameters().verbose && --step == 0) request_preemption();
  }
  Dim step;
};

TEST_F(CheckpointTest, SavesAndStopsWhenTold) {
  const SmallResult whole = uninterrupted({}, 3);
  for (const int ranks : {1, 3}) {
    clear();
    std::atomic<int> stopped = 0;
    testing::run_ranks(ranks, [&](Communicator&) {
      expect_error_with<Preempted>(
          [&] { train_small(small_model(small_adam()), options({.every_steps = 100}, {Tell(6)}, 3)); },
          "training has saved step 6 in " + path());
      ++stopped;
    });
    forget_preemption();
    EXPECT_EQ(stopped, ranks);
    EXPECT_EQ(steps(), (std::vector<std::int64_t>{6}));
    EXPECT_EQ(train_small(small_model(small_adam()), options({}, {}, 3)), whole);
  }
}

TEST_F(CheckpointTest, TrainsOnAsLongAsTheDeadlinePermits) {
  const auto steps_done = [&](double save_before) {
    clear();
    EXPECT_THROW(
        train_small(small_model(small_adam()), options({.every_steps = 2, .save_before = save_before}, {Tell(6)})),
        Preempted);
    forget_preemption();
    return steps().back();
  };
  EXPECT_EQ(steps_done(0), 6);
  EXPECT_EQ(steps_done(1e-6), 6);
  clear();
  // Time enough for all of it.
  train_small(small_model(small_adam()), options({.every_steps = 2, .save_before = 1e6}, {Tell(6)}));
  EXPECT_EQ(steps().back(), 16);
  forget_preemption();
}

}  // namespace
}  // namespace strata
