// SPDX-License-Identifier: Apache-2.0
#include "core/training/optimizer.h"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>

#include "core/base/error.h"
#include "core/ops/ops.h"
#include "core/ops/rmsprop_update.h"
#include "tests/support/expect_error.h"
#include "tests/support/optimizer_steps.h"

namespace strata {
namespace {

using testing::expect_error;
using testing::OptimizerSteps;

/// Steps of one variable.
OptimizerSteps single(const Optimizer& optimizer, const Tensor& start) {
  return OptimizerSteps(optimizer, {{"dense/kernel"}, {start}});
}

TEST(Optimizer, SgdByHand) {
  OptimizerSteps plain = single(optimizers::SGD({.learning_rate = 0.5}), constant({1.0, 2.0}, {2}));
  plain.apply({constant({2.0, -4.0}, {2})});
  EXPECT_EQ(plain.variable(0).to_vector<double>(), (std::vector<double>{0.0, 4.0}));

  OptimizerSteps heavy = single(optimizers::SGD({.learning_rate = 0.5, .momentum = 0.5}), constant({0.0}, {1}));
  heavy.apply({constant({1.0}, {1})});  // v = -0.5
  heavy.apply({constant({1.0}, {1})});  // v = -0.75
  EXPECT_DOUBLE_EQ(heavy.variable(0).item<double>(), -1.25);

  OptimizerSteps nesterov =
      single(optimizers::SGD({.learning_rate = 0.5, .momentum = 0.5, .nesterov = true}), constant({0.0}, {1}));
  nesterov.apply({constant({1.0}, {1})});  // v = -0.5, w += 0.5 v - 0.5
  EXPECT_DOUBLE_EQ(nesterov.variable(0).item<double>(), -0.75);
}

TEST(Optimizer, RmspropPutsEpsilonUnderTheRoot) {
  OptimizerSteps steps =
      single(optimizers::RMSprop({.learning_rate = 0.1, .rho = 0.75, .epsilon = 3.0}), constant({0.0}, {1}));
  steps.apply({constant({2.0}, {1})});  // v = 0.25 * 4 = 1
  EXPECT_DOUBLE_EQ(steps.variable(0).item<double>(), -0.1 * 2.0 / 2.0);
  EXPECT_DOUBLE_EQ(steps.slot("velocity").item<double>(), 1.0);
}

TEST(Optimizer, AdamMovesByTheLearningRateAtFirst) {
  OptimizerSteps steps = single(optimizers::Adam({.learning_rate = 0.25, .epsilon = 0.0}), constant({1.0, 1.0}, {2}));
  steps.apply({constant({1e-3, -1e3}, {2})});
  const auto after = steps.variable(0).to_vector<double>();
  EXPECT_NEAR(after[0], 0.75, 1e-12);
  EXPECT_NEAR(after[1], 1.25, 1e-12);
}

TEST(Optimizer, NamesOfKeras) {
  EXPECT_EQ(Optimizer("rmsprop")->class_name(), "RMSprop");
  EXPECT_EQ(Optimizer("SGD")->class_name(), "SGD");
  EXPECT_EQ(Optimizer("ADAMW").options().weight_decay, 0.004);
  EXPECT_EQ(Optimizer("Adam").learning_rate(), 0.001);
  EXPECT_EQ(Optimizer("sgd").learning_rate(), 0.01);
  EXPECT_EQ(Optimizer("rmsprop").name(), "rm_sprop");  // as Keras 3 has it
  EXPECT_EQ(optimizers::Adam({}, {.name = "mine"}).name(), "mine");
  EXPECT_THROW(Optimizer("adamm"), ConfigError);
  EXPECT_FALSE(Optimizer());
}

TEST(Optimizer, ReadsWhatTfKerasWrote) {
  const auto optimizer = Optimizer::from_config(Config::from_json(
      R"({"class_name": "RMSprop", "config": {"name": "RMSprop", "learning_rate": 0.01, "decay": 0.0, "rho": 0.8,)"
      R"( "momentum": 0.0, "epsilon": 1e-07, "centered": false}})"));
  EXPECT_EQ(optimizer.learning_rate(), 0.01);
  EXPECT_EQ(optimizer->config().at("rho").as_double(), 0.8);
  EXPECT_THROW(Optimizer::from_config(Config::from_json(R"({"class_name": "SGD", "config": {"speed": 1.0}})")),
               ConfigError);
}

TEST(Optimizer, BadArgumentsAreErrors) {
  const double nan = std::nan("");
  for (const double bad : {-0.1, 1.1, nan}) {
    EXPECT_THROW(optimizers::RMSprop({.rho = bad}), ConfigError);
    EXPECT_THROW(optimizers::RMSprop({.momentum = bad}), ConfigError);
    EXPECT_THROW(optimizers::Adam({.beta_1 = bad}), ConfigError);
    EXPECT_THROW(optimizers::Adadelta({.rho = bad}), ConfigError);
    EXPECT_THROW(optimizers::LARS({.momentum = bad}), ConfigError);
    EXPECT_THROW(optimizers::Lion({.beta_2 = bad}), ConfigError);
    expect_error<ConfigError>([&] { optimizers::SGD({.momentum = bad}); },
                              "`momentum` must be a float between [0, 1].");
  }
  EXPECT_THROW(optimizers::Adam({.beta_2 = 1.0}), ConfigError);
  for (auto* make : {optimizers::Adamax, optimizers::Nadam, optimizers::Lamb}) {
    EXPECT_THROW(make({.beta_1 = 1.0}, {}), ConfigError);
    EXPECT_THROW(make({.epsilon = -1.0}, {}), ConfigError);
  }
  EXPECT_THROW(optimizers::Adam({.epsilon = -1.0}), ConfigError);
  EXPECT_THROW(optimizers::Adagrad({.initial_accumulator_value = -1.0}), ConfigError);
  EXPECT_THROW(optimizers::Adafactor({.epsilon_2 = -1.0}), ConfigError);
  EXPECT_THROW(optimizers::LARS({.trust_coefficient = 0.0}), ConfigError);
  for (const double bad : {-1.0, nan, std::numeric_limits<double>::infinity()}) {
    EXPECT_THROW(optimizers::SGD({.learning_rate = bad}), ConfigError);
    EXPECT_THROW(Optimizer("sgd").set_learning_rate(bad), ConfigError);
  }
}

TEST(Optimizer, ArgumentErrorsHaveKerasTexts) {
  expect_error<ConfigError>([] { optimizers::Lion({.beta_1 = 0.0}); },
                            "Argument `beta_1` must be in the [0, 1] range. Otherwise, the optimizer degenerates to "
                            "SignSGD. Received: beta_1=0.0.");
  expect_error<ConfigError>([] { optimizers::Ftrl({.learning_rate_power = 0.5}); },
                            "`learning_rate_power` needs to be negative or zero. Received: learning_rate_power=0.5.");
  expect_error<ConfigError>(
      [] { optimizers::Ftrl({.initial_accumulator_value = -1.0}); },
      "`initial_accumulator_value` needs to be positive or zero. Received: initial_accumulator_value=-1.0.");
  expect_error<ConfigError>(
      [] { optimizers::Ftrl({.l1_regularization_strength = -1.0}); },
      "`l1_regularization_strength` needs to be positive or zero. Received: l1_regularization_strength=-1.0.");
  expect_error<ConfigError>(
      [] { optimizers::Ftrl({.l2_regularization_strength = -1.0}); },
      "`l2_regularization_strength` needs to be positive or zero. Received: l2_regularization_strength=-1.0.");
  expect_error<ConfigError>([] { optimizers::Ftrl({.l2_shrinkage_regularization_strength = -1.0}); },
                            "`l2_shrinkage_regularization_strength` needs to be positive or zero. Received: "
                            "l2_shrinkage_regularization_strength=-1.0.");
  expect_error<ConfigError>(
      [] { Optimizer::from_config(Config::from_json(R"({"class_name": "AdamW", "config": {"weight_decay": null}})")); },
      "Argument `weight_decay` must be a float. Received: weight_decay=None");
}

TEST(Optimizer, CommonOptionsAreCheckedWithKerasTexts) {
  expect_error<ConfigError>([] { optimizers::SGD({}, {.clipnorm = 1.0, .clipvalue = 0.5}); },
                            "Only one of `clipnorm`, `clipvalue` and `global_clipnorm` can be set. Received: "
                            "clipnorm=1.0, clipvalue=0.5, global_clipnorm=None");
  expect_error<ConfigError>(
      [] { optimizers::SGD({}, {.gradient_accumulation_steps = 1}); },
      "`gradient_accumulation_steps` must be an integer >= 2. Received: gradient_accumulation_steps=1");
  expect_error<ConfigError>([] { optimizers::SGD({}, {.use_ema = true, .ema_momentum = 1.5}); },
                            "`ema_momentum` must be in the range [0, 1]. Received: ema_momentum=1.5");
  expect_error<ConfigError>(
      [] { optimizers::SGD({}, {.use_ema = true, .ema_overwrite_frequency = 0}); },
      "`ema_overwrite_frequency` must be an integer >= 1 or None. Received: ema_overwrite_frequency=0");
  EXPECT_THROW(optimizers::SGD({}, {.weight_decay = -1.0}), ConfigError);
  EXPECT_THROW(optimizers::SGD({}, {.loss_scale_factor = 0.0}), ConfigError);
  EXPECT_THROW(optimizers::LossScaleOptimizer("sgd", {.initial_scale = 0.0}), ConfigError);
  EXPECT_THROW(optimizers::LossScaleOptimizer("sgd", {.dynamic_growth_steps = 0}), ConfigError);
  EXPECT_THROW(optimizers::LossScaleOptimizer(optimizers::LossScaleOptimizer("sgd")), ConfigError);
  EXPECT_THROW(optimizers::LossScaleOptimizer(Optimizer()), ConfigError);
  EXPECT_THROW(Optimizer("LossScaleOptimizer"), ConfigError) << "there is no inner optimizer";
  EXPECT_FALSE(optimizers::SGD({}, {.clipnorm = 0.0}).options().clipnorm);  // Keras takes 0 for none
}

TEST(Optimizer, WhatDecaysIsFixedBeforeTheFirstStep) {
  Optimizer optimizer = optimizers::SGD({.learning_rate = 0.5}, {.weight_decay = 0.5});
  OptimizerSteps steps = single(optimizer, constant({1.0}, {1}));
  steps.apply({constant({0.0}, {1})});
  EXPECT_DOUBLE_EQ(steps.variable(0).item<double>(), 0.75);
  expect_error<ConfigError>([&] { optimizer.exclude_from_weight_decay({"bias"}); },
                            "`exclude_from_weight_decay()` can only be configured before the optimizer is built.");
}

TEST(Optimizer, RmspropInOnePassHasTheBitsOfItsFormula) {
  const RandomKey key{constant<std::int64_t>({1, 2, 3}, {3}), 4};
  const Tensor w = ops::random_normal(key, {1003}), g = ops::random_normal({key.state, 5}, {1003});
  const Tensor v = ops::random_uniform({key.state, 6}, {1003});
  const auto one_pass = ops::rmsprop_update(w, g, v, scalar(1e-3), 0.9, 1e-7);
  const Tensor velocity = v * 0.9 + ops::square(g) * (1.0 - 0.9);
  EXPECT_EQ(one_pass[1].to_vector<float>(), velocity.to_vector<float>());
  EXPECT_EQ(one_pass[0].to_vector<float>(), (w - scalar(1e-3) * g / ops::sqrt(velocity + 1e-7)).to_vector<float>());
}

TEST(Optimizer, CopiesAreTheSameOptimizer) {
  const Optimizer first = "adam";
  Optimizer second = first;
  second.set_learning_rate(0.5);
  EXPECT_EQ(first.learning_rate(), 0.5);
  EXPECT_EQ(Optimizer("adam").learning_rate(), 0.001);
  EXPECT_TRUE(first == second);
}

/// w -= lr g / (1 + number of slots' sum).
class CountingRule final : public OptimizerRule {
 public:
  std::string class_name() const override { return "Counting"; }
  Config config() const override { return Config::object(); }
  std::vector<SlotSpec> slots() const override { return {{"count", 1.0}}; }
  std::vector<Tensor> update(const UpdateInputs& in) const override {
    return {in.variable - in.learning_rate * in.gradient / in.slots[0], in.slots[0] + 1.0};
  }
};

TEST(Optimizer, OnesOwnAreFoundByNameOnceRegistered) {
  register_optimizer("Counting", [](const Config& config) {
    return Optimizer(std::make_shared<CountingRule>(), config.contains("learning_rate")
                                                           ? LearningRate::from_config(config.at("learning_rate"))
                                                           : LearningRate(0.5));
  });
  const Optimizer mine = "Counting";
  OptimizerSteps steps = single(mine, constant({1.0}, {1}));
  steps.apply({constant({1.0}, {1})});
  steps.apply({constant({1.0}, {1})});
  EXPECT_DOUBLE_EQ(steps.variable(0).item<double>(), 1.0 - 0.5 - 0.25);
  EXPECT_DOUBLE_EQ(steps.slot("count").item<double>(), 3.0);
  EXPECT_EQ(Optimizer::from_config(mine.config()).config(), mine.config());
  expect_error<ConfigError>([] { register_optimizer("Counting", [](const Config&) { return Optimizer("sgd"); }); },
                            "register_optimizer: a class 'Counting' is known already");
  EXPECT_THROW(register_optimizer("Adam", [](const Config&) { return Optimizer("sgd"); }), ConfigError);
  EXPECT_THROW(register_optimizer("", nullptr), ConfigError);
}

/// Forgets its slot.
class ShortRule final : public OptimizerRule {
 public:
  std::string class_name() const override { return "Short"; }
  Config config() const override { return Config::object(); }
  std::vector<SlotSpec> slots() const override { return {{"count"}}; }
  std::vector<Tensor> update(const UpdateInputs& in) const override { return {ops::sum(in.variable)}; }
};

TEST(Optimizer, RulesOfOnesOwnAreChecked) {
  expect_error<ConfigError>(
      [] {
        single({std::make_shared<ShortRule>(), 0.1}, constant({1.0}, {1}));
      },
      "Short: expected one result and one a slot, 2, received 1");
}

}  // namespace
}  // namespace strata
