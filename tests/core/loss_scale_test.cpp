// SPDX-License-Identifier: Apache-2.0
// A step whose gradients are not finite changes nothing but the factor of the loss, on every rank.
#include <gtest/gtest.h>

#include <cmath>
#include <limits>

#include "core/ops/ops.h"
#include "strata/strata.h"
#include "tests/support/ranks.h"

namespace strata {
namespace {

/// Inputs and targets are spread over the blocks; one of the former is as given.
std::vector<double> step(Model& model, float value) {
  std::vector<float> x(12, 0.5F);
  x[7] = value;
  return model.train_on_batch(constant(x, {6, 2}), ops::ones({6, 1}), {.blocks = 3});
}

std::vector<float> weights_of(const Model& model) {
  std::vector<float> all;
  for (const Tensor& weight : model.get_weights()) {
    const auto values = weight.to_vector<float>();
    all.insert(all.end(), values.begin(), values.end());
  }
  return all;
}

void leave_out_steps() {
  clear_session();
  auto input = Input({2});
  Model model(input, layers::Dense(1)(input));
  model.compile({.optimizer = optimizers::LossScaleOptimizer(optimizers::Adam({.learning_rate = 0.1})), .loss = "mse"});
  const double first = step(model, 0.5F)[0];
  const auto before = weights_of(model);
  for (const float value : {std::numeric_limits<float>::infinity(), std::numeric_limits<float>::quiet_NaN()}) {
    step(model, value);
    EXPECT_EQ(weights_of(model), before);
    EXPECT_EQ(model.optimizer().iterations(), 1) << "steps that were left out do not count";
  }
  EXPECT_LT(step(model, 0.5F)[0], first);
  EXPECT_NE(weights_of(model), before);
  EXPECT_EQ(model.optimizer().iterations(), 2);
}

TEST(LossScale, LeavesOutStepsWhoseGradientsAreNotFinite) {
  leave_out_steps();
  for (const int ranks : {2, 3}) testing::run_ranks(ranks, [](Communicator&) { leave_out_steps(); });
}

TEST(LossScale, OverflowsUntilItFits) {
  clear_session();
  auto input = Input({2});
  Model model(input, layers::Dense(1)(input));
  // The first gradients are infinite in float32 until the factor has been halved a few times.
  model.compile(
      {.optimizer = optimizers::LossScaleOptimizer(optimizers::SGD(), {.initial_scale = 0x1p126}), .loss = "mse"});
  const auto before = weights_of(model);
  step(model, 64.0F);
  EXPECT_EQ(weights_of(model), before);
  for (int i = 0; i < 20; ++i) step(model, 64.0F);
  EXPECT_NE(weights_of(model), before);
  for (const float weight : weights_of(model)) EXPECT_TRUE(std::isfinite(weight));
}

TEST(LossScale, ComesByItselfWithFloat16) {
  const auto compiled = [](const DtypePolicy& policy, const CompileOptions& options) {
    clear_session();
    set_dtype_policy(policy);
    auto input = Input({2});
    Model model(input, layers::Dense(1)(input));
    model.compile(options);
    clear_session();
    return model.optimizer();
  };
  const Optimizer scaled = compiled("mixed_float16", {.loss = "mse"});
  ASSERT_NE(scaled.loss_scaling(), nullptr);
  EXPECT_EQ(scaled.loss_scaling()->initial_scale, 32768.0);
  EXPECT_EQ(scaled.get_config().at("inner_optimizer").at("class_name").as_string(), "RMSprop");
  EXPECT_EQ(compiled("mixed_float16", {.loss = "mse", .auto_scale_loss = false}).loss_scaling(), nullptr);
  EXPECT_EQ(compiled("mixed_bfloat16", {.loss = "mse"}).loss_scaling(), nullptr);
  EXPECT_EQ(compiled("float32", {.loss = "mse"}).loss_scaling(), nullptr);
  const Optimizer own = optimizers::LossScaleOptimizer("sgd", {.initial_scale = 8.0});
  EXPECT_EQ(compiled("mixed_float16", {.optimizer = own, .loss = "mse"}), own);
}

}  // namespace
}  // namespace strata
