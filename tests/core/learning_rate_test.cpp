// SPDX-License-Identifier: Apache-2.0
#include "core/training/learning_rate.h"

#include <gtest/gtest.h>

#include <limits>

#include "core/base/error.h"
#include "strata/strata.h"
#include "tests/support/expect_error.h"
#include "tests/support/ranks.h"

namespace strata {
namespace {

using testing::expect_error;

/// Keras' example of a schedule of one's own.
class Harmonic final : public LearningRateSchedule {
 public:
  explicit Harmonic(double initial) : initial_(initial) {}
  double rate(std::int64_t step) const override { return initial_ / static_cast<double>(step + 1); }
  std::string class_name() const override { return "Harmonic"; }
  Config config() const override { return Config::object({{"initial", initial_}}); }

 private:
  double initial_;
};

/// A model of one weight, 0 at first, whose gradient is -2 at 0 and of the loss (w - 1)^2.
Model one_weight(const Optimizer& optimizer) {
  auto input = Input({1});
  Model model(input, layers::Dense(1, {.use_bias = false, .kernel_initializer = "zeros"})(input));
  model.compile({.optimizer = optimizer, .loss = "mse"});
  return model;
}

TEST(LearningRate, ASchedulesRateIsThatOfTheStep) {
  const Optimizer optimizer = optimizers::SGD({.learning_rate = Harmonic(0.25)});
  Model model = one_weight(optimizer);
  const Tensor one = ops::ones({1, 1});
  EXPECT_DOUBLE_EQ(optimizer.learning_rate(), 0.25);
  model.train_on_batch(one, one);  // w = 0.25 * 2
  EXPECT_FLOAT_EQ(model.weights()[0].value().item<float>(), 0.5F);
  EXPECT_DOUBLE_EQ(model.optimizer().learning_rate(), 0.125);
  model.train_on_batch(one, one);  // w += 0.125 * 1
  EXPECT_FLOAT_EQ(model.weights()[0].value().item<float>(), 0.625F);
  EXPECT_EQ(optimizer.iterations(), 2);
}

TEST(LearningRate, OfAScheduleCannotBeSet) {
  Optimizer optimizer = optimizers::SGD({.learning_rate = Harmonic(0.25)});
  expect_error<ConfigError>(
      [&] { optimizer.set_learning_rate(0.1); },
      "This optimizer was created with a `LearningRateSchedule` object as its `learning_rate` constructor argument, "
      "hence its learning rate is not settable. If you need the learning rate to be settable, you should instantiate "
      "the optimizer with a float `learning_rate` argument.");
}

TEST(LearningRate, SchedulesOfOnesOwnAreReadOnceRegistered) {
  const Optimizer optimizer = optimizers::SGD({.learning_rate = Harmonic(0.25)});
  expect_error<ConfigError>([&] { Optimizer::from_config(optimizer.config()); },
                            "Unknown learning rate schedule: Harmonic. If it is one of your own, give it as one of "
                            "`custom_objects`, {{\"Harmonic\", ...}}, or make it known with "
                            "register_custom_object(\"Harmonic\", ...).");
  register_schedule("Harmonic",
                    [](const Config& config) { return LearningRate(Harmonic(config.at("initial").as_double())); });
  const Optimizer read = Optimizer::from_config(optimizer.config());
  EXPECT_EQ(read.config(), optimizer.config());
  EXPECT_DOUBLE_EQ(read.learning_rate(), 0.25);
}

TEST(LearningRate, ArgumentErrorsHaveKerasTexts) {
  const std::string text = "Argument `decay_steps` must be > 0. Received: decay_steps=0";
  expect_error<ConfigError>([] { schedules::ExponentialDecay({.decay_steps = 0}); }, text);
  expect_error<ConfigError>([] { schedules::InverseTimeDecay({.decay_steps = 0}); }, text);
  expect_error<ConfigError>([] { schedules::PolynomialDecay({.decay_steps = 0}); }, text);
  expect_error<ConfigError>([] { schedules::CosineDecay({.decay_steps = 0}); }, text);
  expect_error<ConfigError>([] { schedules::CosineDecayRestarts({.first_decay_steps = -1}); },
                            "Argument `first_decay_steps` must be > 0. Received: first_decay_steps=-1");
  expect_error<ConfigError>(
      [] {
        schedules::PiecewiseConstantDecay({.boundaries = {1, 2}, .values = {0.5, 0.25}});
      },
      "The length of boundaries should be 1 less than the length of values. Received: "
      "boundaries=[1, 2] of length 2, and values=[0.5, 0.25] of length 2.");
  EXPECT_THROW(schedules::LinearScaling({.scale = -1.0}), ConfigError);
  EXPECT_THROW(schedules::LinearScaling({.warmup_steps = -1}), ConfigError);
  EXPECT_THROW(LearningRate(-1.0), ConfigError);
  EXPECT_THROW(LearningRate(std::numeric_limits<double>::quiet_NaN()), ConfigError);
}

TEST(LearningRate, LinearScalingWarmsUpToTheScaledRate) {
  const LearningRate rate = schedules::LinearScaling({.learning_rate = 0.1, .scale = 8.0, .warmup_steps = 4});
  for (const auto& [step, expected] : {std::pair{0, 0.1}, {1, 0.275}, {2, 0.45}, {4, 0.8}, {100, 0.8}}) {
    EXPECT_NEAR(rate.at(step), expected, 1e-15) << step;
  }
  const LearningRate decayed = schedules::LinearScaling(
      {.learning_rate = schedules::PiecewiseConstantDecay({.boundaries = {10}, .values = {0.1, 0.01}}), .scale = 2.0});
  EXPECT_DOUBLE_EQ(decayed.at(0), 0.2);
  EXPECT_DOUBLE_EQ(decayed.at(11), 0.02);
  EXPECT_EQ(LearningRate::from_config(decayed.config()).config(), decayed.config());
}

TEST(LearningRate, LinearScalingCountsTheRanks) {
  testing::run_ranks(
      3, [](Communicator&) { EXPECT_DOUBLE_EQ(schedules::LinearScaling({.learning_rate = 0.5}).at(0), 1.5); });
}

TEST(LearningRate, AveragesBecomeTheWeightsWhenFitEnds) {
  Model model = one_weight(optimizers::SGD({.learning_rate = 0.25}, {.use_ema = true, .ema_momentum = 0.5}));
  const Tensor one = ops::ones({2, 1});
  model.fit(one, one, {.batch_size = 1, .epochs = 1, .verbose = 0});
  // w = 0.5, then 0.75; a = 0.5, then 0.5 * 0.5 + 0.5 * 0.75
  EXPECT_FLOAT_EQ(model.weights()[0].value().item<float>(), 0.625F);
}

TEST(LearningRate, TheScaleOfTheLossCancelsOut) {
  for (const double scale : {1.0, 1024.0, 3.0}) {
    Model model = one_weight(optimizers::SGD({.learning_rate = 0.25}, {.loss_scale_factor = scale}));
    const Tensor one = ops::ones({1, 1});
    const double loss = model.train_on_batch(one, one)[0];
    EXPECT_DOUBLE_EQ(loss, 1.0);
    EXPECT_NEAR(model.weights()[0].value().item<float>(), 0.5F, 1e-7F);
  }
}

}  // namespace
}  // namespace strata
