// SPDX-License-Identifier: Apache-2.0
// What training does with regularizers, constraints and learning-rate factors of weights.
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>

#include "core/base/error.h"
#include "strata/strata.h"
#include "tests/support/expect_error.h"
#include "tests/support/ranks.h"

namespace strata {
namespace {

using testing::expect_error;

constexpr double kRate = 0.1;

struct Trained {
  std::vector<float> before, after;
  double loss = 0.0;
};

/// One step of SGD on a loss without a slope: the weights move by their rules alone.
Trained step(const layers::DenseOptions& options, double factor = 1.0, Dim blocks = 0, Dim samples = 6) {
  Session& session = Session::current();
  session.clear();
  session.set_seed(5);
  auto input = Input({3});
  const layers::Dense dense(4, options);
  dense.set_learning_rate_factor(factor);
  Model model(input, dense(input));
  model.compile({.optimizer = optimizers::SGD({.learning_rate = kRate}), .loss = "mse"});
  Trained result{model.weights()[0].value().to_vector<float>(), {}, 0.0};
  const Tensor x = ops::zeros({samples, 3}), y = ops::zeros({samples, 4});
  result.loss = model.train_on_batch(x, y, {.blocks = blocks})[0];
  result.after = model.weights()[0].value().to_vector<float>();
  return result;
}

double square_sum(const std::vector<float>& values) {
  double sum = 0.0;
  for (const float v : values) sum += static_cast<double>(v) * v;
  return sum;
}

void expect_decay(const Trained& result, double l2, double factor = 1.0) {
  EXPECT_NEAR(result.loss, l2 * square_sum(result.before), 1e-6);
  for (std::size_t i = 0; i < result.before.size(); ++i) {
    EXPECT_NEAR(result.after[i], result.before[i] * (1.0 - factor * kRate * 2.0 * l2), 1e-6);
  }
}

TEST(WeightRules, APenaltyIsInTheLossAndInTheGradientOnce) {
  expect_decay(step({.kernel_regularizer = regularizers::L2(0.3)}), 0.3);
}

TEST(WeightRules, BlocksAndRanksDoNotMultiplyThePenalty) {
  for (const Dim blocks : {1, 4, 7})
    expect_decay(step({.kernel_regularizer = regularizers::L2(0.3)}, 1.0, blocks), 0.3);
  testing::run_ranks(3, [](Communicator&) {
    expect_decay(step({.kernel_regularizer = regularizers::L2(0.3)}, 1.0, 5), 0.3);
    expect_decay(step({.kernel_regularizer = regularizers::L2(0.3)}, 1.0, 3, 2), 0.3);  // an empty block
  });
}

TEST(WeightRules, ALearningRateFactorScalesTheUpdate) {
  expect_decay(step({.kernel_regularizer = regularizers::L2(0.3)}, 0.25), 0.3, 0.25);
  const Trained still = step({.kernel_regularizer = regularizers::L2(0.3)}, 0.0);
  EXPECT_EQ(still.after, still.before);
}

TEST(WeightRules, AConstraintHoldsAfterTheUpdate) {
  const Trained clipped = step({.kernel_constraint = "non_neg"});
  EXPECT_TRUE(std::any_of(clipped.before.begin(), clipped.before.end(), [](float v) { return v < 0.0F; }));
  for (std::size_t i = 0; i < clipped.before.size(); ++i) {
    EXPECT_EQ(clipped.after[i], std::max(clipped.before[i], 0.0F));
  }
  const Trained unit = step({.kernel_constraint = "unit_norm"});
  for (std::size_t column = 0; column < 4; ++column) {
    double square = 0.0;
    for (std::size_t row = 0; row < 3; ++row) square += std::pow(unit.after[row * 4 + column], 2);
    EXPECT_NEAR(square, 1.0, 1e-5);
  }
}

TEST(WeightRules, RulesAreFoundByNameAndReadBack) {
  EXPECT_EQ(Regularizer("l2").config().to_json(), R"({"class_name": "L2", "config": {"l2": 0.01}})");
  for (const Regularizer& rule :
       {regularizers::L1(0.5), regularizers::L1L2(0.1, 0.2), regularizers::OrthogonalRegularizer(0.3, "columns")}) {
    EXPECT_EQ(Regularizer::from_config(rule.config()).config(), rule.config());
  }
  for (const Constraint& rule : {constraints::MaxNorm(3.0, {0, 1}), constraints::NonNeg(), constraints::UnitNorm(),
                                 constraints::MinMaxNorm(0.5, 2.0, 0.9)}) {
    EXPECT_EQ(Constraint::from_config(rule.config()).config(), rule.config());
  }
  expect_error<ConfigError>([] { return Regularizer("l3"); },
                            "Unknown regularizer: l3. Expected one of: L1, L1L2, L2, OrthogonalRegularizer, l1_l2.");
  expect_error<ConfigError>([] { return Constraint("norm"); },
                            "Unknown constraint: norm. Expected one of: MaxNorm, MinMaxNorm, NonNeg, UnitNorm.");
  expect_error<ConfigError>([] { regularizers::L1(-1.0); },
                            "Invalid value for argument l1: expected a non-negative float. Received: l1=-1.0");
}

}  // namespace
}  // namespace strata
