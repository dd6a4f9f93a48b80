// SPDX-License-Identifier: Apache-2.0
// What fit does about steps whose gradients are not finite: the same on every rank, sharded or not.
#include <gtest/gtest.h>

#include <cmath>
#include <limits>

#include "core/ops/ops.h"
#include "strata/strata.h"
#include "tests/support/expect_error.h"
#include "tests/support/ranks.h"

namespace strata {
namespace {

constexpr Dim kBatch = 8;
constexpr Dim kSteps = 5;
constexpr float kNan = std::numeric_limits<float>::quiet_NaN();
constexpr float kInfinity = std::numeric_limits<float>::infinity();

/// Where a bad number is put: into a batch, or nowhere.
struct Plant {
  Dim step = -1;
  float value = kNan;
};

/// Features of all steps; those of the planted one have one bad number. `steps` picks steps from the kSteps.
Tensor features(const Plant& plant, const std::vector<Dim>& steps) {
  std::vector<float> x;
  for (const Dim step : steps) {
    for (Dim i = 0; i < kBatch * 3; ++i) x.push_back(std::sin(static_cast<float>(step * kBatch * 3 + i)));
    if (step == plant.step) x[x.size() - 4] = plant.value;
  }
  return constant(x, {static_cast<Dim>(steps.size()) * kBatch, 3});
}

Tensor targets(const std::vector<Dim>& steps) {
  std::vector<float> y;
  for (const Dim step : steps) {
    for (Dim i = 0; i < kBatch; ++i) y.push_back(std::cos(static_cast<float>(step * kBatch + i)));
  }
  return constant(y, {static_cast<Dim>(steps.size()) * kBatch, 1});
}

/// Layers with moving averages; the gradient of "first" alone takes in the features.
Model make_model() {
  clear_session();
  auto input = Input({3});
  Tensor x = layers::Dense(6, {.activation = "tanh", .name = "first"})(input);
  x = layers::BatchNormalization({.name = "normalized"})(x);
  return Model(input, layers::Dense(1, {.name = "last"})(x));
}

struct Setting {
  std::function<Optimizer()> optimizer = [] { return optimizers::Adam({.learning_rate = 0.1}); };
  NanPolicy policy = NanPolicy::ignore;
  bool shard = false;
  double target_factor = 1.0;
};

struct Outcome {
  std::uint64_t weights = 0;
  std::int64_t updates = 0;
  double loss = 0.0;
  friend bool operator==(const Outcome&, const Outcome&) = default;
};

const std::vector<Dim> kAll{0, 1, 2, 3, 4};

Outcome train(const Setting& setting, const Plant& plant, const std::vector<Dim>& steps = kAll) {
  Model model = make_model();
  model.compile({.optimizer = setting.optimizer(), .loss = "mse", .shard_optimizer = setting.shard});
  const History history =
      model.fit(features(plant, steps), targets(steps) * setting.target_factor,
                {.batch_size = kBatch, .verbose = 0, .shuffle = false, .blocks = 4, .nan_policy = setting.policy});
  return {model.weights_hash(), model.optimizer().steps(), history.history.at(0).second.at(0)};
}

/// On one rank, then on others with and without shares.
template <class F>
void on_ranks(const F& check) {
  check(false);
  for (const int ranks : {2, 3}) {
    for (const bool shard : {false, true}) {
      testing::run_ranks(ranks, [&](Communicator&) {
        SCOPED_TRACE(std::to_string(ranks) + (shard ? " ranks, sharded" : " ranks"));
        check(shard);
      });
    }
  }
}

TEST(NanPolicy, SkipTrainsAsIfTheStepHadNotBeen) {
  for (const float value : {kNan, kInfinity}) {
    Outcome alone;
    on_ranks([&](bool shard) {
      const Setting setting{.policy = NanPolicy::skip, .shard = shard};
      // The same steps without the bad one: weights, moving averages, slots, and how many updates there were.
      const Outcome expected = train(setting, {}, {0, 1, 3, 4});
      const Outcome outcome = train(setting, {.step = 2, .value = value});
      EXPECT_EQ(outcome, expected);
      EXPECT_EQ(outcome.updates, 4);
      EXPECT_TRUE(std::isfinite(outcome.loss));
      if (alone.updates == 0) alone = outcome;
      EXPECT_EQ(outcome, alone);
    });
  }
}

/// What compression rounds away in a step that overflows is huge.
TEST(NanPolicy, SkipForgetsWhatTransfersBetweenHostsOwe) {
  const auto train = [](const Plant& plant, const std::vector<Dim>& steps) {
    clear_session();
    const Tensor input = Input({3});
    Model model(input, layers::Dense(1)(input));
    model.compile({.optimizer = optimizers::SGD({.learning_rate = 0.1}), .loss = "mse"});
    model.fit(features(plant, steps), targets(steps),
              {.batch_size = kBatch,
               .verbose = 0,
               .shuffle = false,
               .nan_policy = NanPolicy::skip,
               .compress_transfer = true});
    return model.get_weights()[0].to_vector<float>();
  };
  testing::run_ranks(
      2,
      [&](Communicator&) {
        const auto expected = train({}, {0, 1, 3, 4}), skipped = train({.step = 2, .value = 1e30F}, kAll);
        for (std::size_t i = 0; i < expected.size(); ++i) EXPECT_NEAR(skipped[i], expected[i], 0.01);
      },
      {1, 1});
}

TEST(NanPolicy, SkipLeavesAccumulatedGradientsAndNumbersOfTheRuleAlone) {
  const auto optimizer = [] {
    return optimizers::Nadam({.learning_rate = 0.1},
                             {.global_clipnorm = 1.0, .use_ema = true, .gradient_accumulation_steps = 2});
  };
  on_ranks([&](bool shard) {
    const Setting setting{optimizer, NanPolicy::skip, shard};
    EXPECT_EQ(train(setting, {.step = 1}), train(setting, {}, {0, 2, 3, 4}));
  });
}

TEST(NanPolicy, WithoutBadNumbersItChangesNoBit) {
  on_ranks([&](bool shard) {
    const Outcome expected = train({.shard = shard}, {});
    for (const NanPolicy policy : {NanPolicy::skip, NanPolicy::stop}) {
      EXPECT_EQ(train({.policy = policy, .shard = shard}, {}), expected);
    }
  });
}

TEST(NanPolicy, IgnoreTakesWhatComes) {
  const Outcome outcome = train({}, {.step = 2});
  EXPECT_EQ(outcome.updates, kSteps);
  EXPECT_TRUE(std::isnan(outcome.loss));
}

TEST(NanPolicy, AnEpochThatIsLeftOutWholeHasNoLoss) {
  const Outcome outcome = train({.policy = NanPolicy::skip}, {.step = 2}, {2});
  EXPECT_EQ(outcome.updates, 0);
  EXPECT_TRUE(std::isnan(outcome.loss)) << "0 would be the best of all";
}

TEST(NanPolicy, SkipSaysHowManyStepsWereLeftOut) {
  ::testing::internal::CaptureStdout();
  Model model = make_model();
  model.compile({.optimizer = "sgd", .loss = "mse"});
  const FitOptions options{
      .batch_size = kBatch, .epochs = 2, .verbose = 2, .shuffle = false, .nan_policy = NanPolicy::skip};
  model.fit(features({.step = 2}, kAll), targets(kAll), options);
  const std::string text = ::testing::internal::GetCapturedStdout();
  const std::string line = "1 of 5 steps left out: their gradients were not finite\n";
  const auto first = text.find(line);
  ASSERT_NE(first, std::string::npos) << text;
  EXPECT_NE(text.find(line, first + 1), std::string::npos) << "in each epoch: " << text;
}

TEST(NanPolicy, StopNamesThePlaceBeforeAnyWeightHasChanged) {
  on_ranks([&](bool shard) {
    for (const float value : {kNan, kInfinity}) {
      Model model = make_model();
      model.compile({.optimizer = optimizers::Adam({.learning_rate = 0.1}), .loss = "mse", .shard_optimizer = shard});
      FitOptions options{
          .batch_size = kBatch, .verbose = 0, .shuffle = false, .blocks = 4, .nan_policy = NanPolicy::stop};
      model.fit(features({}, {0, 1}), targets({0, 1}), options);
      options.epochs = 4;
      options.initial_epoch = 3;
      std::uint64_t before = 0;
      options.callbacks = {
          callbacks::LambdaCallback({.on_train_batch_end = [&](Dim, const Logs&) { before = model.weights_hash(); }})};
      testing::expect_error<NumericError>(
          [&] {
            model.fit(features({.step = 3, .value = value}, {2, 3}), targets({2, 3}), options);
          },
          "epoch 4, step 2: expected finite gradients, received NaN or infinity in that of 'first/kernel'. Nothing has "
          "been changed in this step.");
      EXPECT_EQ(model.weights_hash(), before);
      EXPECT_EQ(model.optimizer().steps(), 3);
      EXPECT_EQ(model.iterations(), 3);
    }
  });
}

TEST(NanPolicy, GradientsByRowsAreLookedAt) {
  on_ranks([&](bool shard) {
    clear_session();
    auto ids = Input({2}, {.dtype = Dtype::int32});
    Model model(
        ids, layers::Dense(1, {.name = "last"})(layers::Flatten()(layers::Embedding(500, 3, {.name = "table"})(ids))));
    model.compile({.optimizer = optimizers::Adagrad(), .loss = "mse", .shard_optimizer = shard});
    const Tensor words = constant<std::int32_t>({1, 2, 3, 400, 5, 499, 7, 8}, {4, 2});
    // What the table's gradient is computed from stays finite, and its product with the error does not.
    const std::vector<Tensor> start = model.get_weights();
    model.set_weights({start[0], ops::ones({6, 1}) * 3e38, start[2]});
    const FitOptions options{
        .batch_size = 4, .verbose = 0, .shuffle = false, .blocks = 4, .nan_policy = NanPolicy::stop};
    const std::uint64_t before = model.weights_hash();
    testing::expect_error_with<NumericError>(
        [&] {
          model.fit(words, ops::ones({4, 1}), options);
        },
        "in that of 'table/embeddings'");
    EXPECT_EQ(model.weights_hash(), before);
  });
}

TEST(NanPolicy, ALossScaleOptimizerMayLookForItsFactor) {
  const auto optimizer = [] {
    return optimizers::LossScaleOptimizer(optimizers::SGD(), {.initial_scale = 0x1p127, .dynamic_growth_steps = 100});
  };
  on_ranks([&](bool shard) {
    // The factor is too large for the first steps, which does not stop the run; a bad number at factor 1 does.
    const std::vector<Dim> steps{0, 1, 2, 3, 4, 0, 1, 2, 3, 4, 0, 1, 2, 3, 4};
    const std::int64_t updates = train({optimizer, NanPolicy::stop, shard, 64.0}, {}, steps).updates;
    EXPECT_GT(updates, 0);
    EXPECT_LT(updates, 15);
    const auto small = [] { return optimizers::LossScaleOptimizer(optimizers::SGD(), {.initial_scale = 1.0}); };
    testing::expect_error_with<NumericError>(
        [&] {
          train({small, NanPolicy::stop, shard}, {.step = 2});
        },
        "epoch 1, step 3");
  });
}

}  // namespace
}  // namespace strata
