// SPDX-License-Identifier: Apache-2.0
// What a run with a sharded optimizer saves is what one rank saves, byte for byte, and either goes on from the other's.
#include <gtest/gtest.h>

#include "strata/strata.h"
#include "tests/support/files.h"
#include "tests/support/ranks.h"
#include "tests/support/recording_communicator.h"
#include "tests/support/shared_training.h"

namespace strata {
namespace {

using testing::SharedTraining;

/// Rules of each scope, with state of every kind: averages, accumulated gradients, numbers of rule and loss.
std::vector<std::pair<std::string, std::function<Optimizer()>>> optimizers_with_state() {
  using namespace optimizers;
  return {{"adam", [] { return Adam({.learning_rate = 0.05}); }},
          {"adagrad", [] { return Adagrad({.learning_rate = 0.05}); }},
          {"adafactor", [] { return Adafactor({.learning_rate = 0.05}); }},
          {"muon", [] { return Muon({.learning_rate = 0.05}); }},
          {"scaled", [] {
             return LossScaleOptimizer(
                 Nadam({.learning_rate = 0.05},
                       {.global_clipnorm = 1.0, .use_ema = true, .gradient_accumulation_steps = 2}),
                 {.initial_scale = 8.0, .dynamic_growth_steps = 2});
           }}};
}

Model compiled(const SharedTraining& training, bool shard) {
  Model model = testing::shared_training_model(training);
  model.compile({.optimizer = training.optimizer(), .loss = "mse", .auto_scale_loss = false, .shard_optimizer = shard});
  return model;
}

void train(Model& model, const SharedTraining& training, int first, int last) {
  for (int step = first; step < last; ++step) {
    model.train_on_batch(testing::shared_training_words(13, step, training), testing::shared_training_targets(13),
                         {.blocks = 5});
  }
}

class ShardedFiles : public ::testing::Test {
 protected:
  std::string path(const std::string& name) const { return directory_.path(name); }

  /// Calls `run(shard)` alone with all state, or on ranks that share it.
  template <class F>
  static void on_ranks(int ranks, const F& run) {
    if (ranks == 1) return run(false);
    testing::run_ranks(ranks, [&](Communicator&) { run(true); });
  }

  void save(int ranks, const SharedTraining& training, const std::string& stem) const {
    on_ranks(ranks, [&](bool shard) {
      Model model = compiled(training, shard);
      train(model, training, 0, 3);
      model.save(path(stem + ".h5"));
      model.save_weights(path(stem + ".weights.h5"));
    });
  }

 private:
  testing::TemporaryDirectory directory_;
};

TEST_F(ShardedFiles, AreThoseOfOneRankByteForByte) {
  for (const auto& [name, make] : optimizers_with_state()) {
    SCOPED_TRACE(name);
    const SharedTraining training{make};
    save(1, training, "one");
    for (const int ranks : {2, 3, 5}) {
      save(ranks, training, "shared");
      for (const char* ending : {".h5", ".weights.h5"}) {
        EXPECT_TRUE(testing::read_text(path(std::string("shared") + ending)) ==
                    testing::read_text(path(std::string("one") + ending)))
            << ranks << " ranks, " << ending;
      }
    }
  }
}

TEST_F(ShardedFiles, GoOnOnAnyOtherNumberOfRanks) {
  for (const auto& [name, make] : optimizers_with_state()) {
    SCOPED_TRACE(name);
    const SharedTraining training{make};
    Model whole = compiled(training, false);
    train(whole, training, 0, 6);
    const std::uint64_t expected = whole.weights_hash();
    for (const auto& [from, to] : {std::pair{1, 3}, {3, 1}, {2, 5}, {5, 2}}) {
      save(from, training, "half");
      on_ranks(to, [&](bool shard) {
        Model model = compiled(training, shard);
        train(model, training, 10, 11);  // so that there is a state, another one
        model.load_weights(path("half.weights.h5"));
        train(model, training, 3, 6);
        EXPECT_EQ(model.weights_hash(), expected) << from << " ranks to " << to;
      });
    }
  }
}

TEST_F(ShardedFiles, AModelThatWasReadGoesOnSharded) {
  const SharedTraining training{[] { return Optimizer("adam"); }};
  save(1, training, "half");
  const auto go_on = [&](bool shard) {
    const auto recording = std::make_shared<testing::RecordingCommunicator>(Session::current().communicator());
    Model model = load_model(path("half.h5"), {.communicator = recording, .shard_optimizer = shard});
    train(model, training, 3, 6);
    EXPECT_EQ(shard, std::ranges::any_of(recording->prepared(), [](const auto& sum) { return sum.scattered; }));
    return model.weights_hash();
  };
  const std::uint64_t expected = go_on(false);
  for (const int ranks : {2, 3}) {
    on_ranks(ranks, [&](bool shard) { EXPECT_EQ(go_on(shard), expected) << ranks << " ranks"; });
  }
}

struct Interruption : std::runtime_error {
  Interruption() : std::runtime_error("interrupted") {}
};

/// Ends the process, as far as fit can tell, before this step.
struct Interrupt : Callback {
  explicit Interrupt(Dim step) : step_(step) {}
  void on_train_batch_begin(Dim step) override {
    if (step == step_) throw Interruption();
  }

 private:
  Dim step_;
};

TEST_F(ShardedFiles, ABackupGoesOnOnAnyOtherNumberOfRanks) {
  for (const auto& [name, make] : optimizers_with_state()) {
    SCOPED_TRACE(name);
    const SharedTraining training{make};
    const auto fit = [&](bool shard, std::vector<CallbackRef> callbacks) {
      Model model = compiled(training, shard);
      model.fit(testing::shared_training_words(40, 1, training), testing::shared_training_targets(40),
                {.batch_size = 9, .epochs = 2, .verbose = 0, .callbacks = std::move(callbacks), .blocks = 5});
      return model.weights_hash();
    };
    const std::uint64_t expected = fit(false, {});
    for (const auto& [from, to] : {std::pair{1, 3}, {3, 2}, {5, 1}}) {
      const auto backup = [&] {
        return callbacks::BackupAndRestore(path(name + std::to_string(from)), {.save_freq = 2});
      };
      on_ranks(from, [&](bool shard) { EXPECT_THROW(fit(shard, {backup(), Interrupt(3)}), Interruption); });
      on_ranks(to, [&](bool shard) { EXPECT_EQ(fit(shard, {backup()}), expected) << from << " ranks to " << to; });
    }
  }
}

}  // namespace
}  // namespace strata
