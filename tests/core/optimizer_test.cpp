// SPDX-License-Identifier: Apache-2.0
#include "core/training/optimizer.h"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>

#include "core/base/error.h"
#include "core/ops/ops.h"
#include "core/ops/rmsprop_update.h"
#include "tests/support/golden_values.h"

namespace strata {
namespace {

using testing::expect_close;
using testing::golden_tensor;

/// A variable and its slots, updated step by step.
class Steps {
 public:
  Steps(Optimizer optimizer, Tensor variable) : optimizer_(std::move(optimizer)), variable_(std::move(variable)) {
    for (const SlotSpec& slot : optimizer_->slots()) {
      slots_.push_back(ops::full(variable_.shape(), slot.initial, variable_.dtype()));
    }
  }
  void apply(const Tensor& gradient) {
    const Tensor rate = scalar(optimizer_.learning_rate(), variable_.dtype());
    const Tensor iteration = scalar(static_cast<double>(iteration_++), Dtype::int64);
    const auto results = optimizer_->update({variable_, gradient, slots_, rate, iteration});
    ASSERT_EQ(results.size(), slots_.size() + 1);
    variable_ = results[0];
    for (std::size_t s = 0; s < slots_.size(); ++s) slots_[s] = results[s + 1];
  }
  const Tensor& variable() const { return variable_; }
  /// The slot of this Keras name.
  Tensor slot(const std::string& name) const {
    const auto specs = optimizer_->slots();
    for (std::size_t s = 0; s < specs.size(); ++s) {
      if (specs[s].name == name) return slots_[s];
    }
    throw ConfigError("no slot " + name);
  }
  std::size_t slot_count() const { return slots_.size(); }

 private:
  Optimizer optimizer_;
  Tensor variable_;
  std::vector<Tensor> slots_;
  std::int64_t iteration_ = 0;
};

Optimizer make_optimizer(const std::string& class_name, const nlohmann::json& config) {
  if (class_name == "SGD") {
    optimizers::SGDOptions o;
    o.learning_rate = config.value("learning_rate", o.learning_rate);
    o.momentum = config.value("momentum", o.momentum);
    o.nesterov = config.value("nesterov", o.nesterov);
    return optimizers::SGD(o);
  }
  if (class_name == "RMSprop") {
    optimizers::RMSpropOptions o;
    o.learning_rate = config.value("learning_rate", o.learning_rate);
    o.rho = config.value("rho", o.rho);
    o.momentum = config.value("momentum", o.momentum);
    o.centered = config.value("centered", o.centered);
    return optimizers::RMSprop(o);
  }
  optimizers::AdamOptions o;
  o.learning_rate = config.value("learning_rate", o.learning_rate);
  o.beta_1 = config.value("beta_1", o.beta_1);
  o.beta_2 = config.value("beta_2", o.beta_2);
  o.epsilon = config.value("epsilon", o.epsilon);
  o.amsgrad = config.value("amsgrad", o.amsgrad);
  return optimizers::Adam(o);
}

/// Several arrays end to end, as in the flat buffers.
Tensor flat(const nlohmann::json& arrays) {
  std::vector<Tensor> parts;
  for (const auto& array : arrays) parts.push_back(ops::reshape(golden_tensor(array), {None}));
  return ops::concatenate(parts, 0);
}

TEST(Optimizer, EqualsKeras) {
  const auto golden = testing::read_golden("optimizers.json");
  for (const auto& c : golden.at("cases")) {
    SCOPED_TRACE(c.at("name").get<std::string>());
    Steps steps(make_optimizer(c.at("class_name"), c.at("config")), flat(golden.at("initial_weights")));
    for (std::size_t i = 0; i < golden.at("gradients").size(); ++i) {
      SCOPED_TRACE("step " + std::to_string(i));
      steps.apply(flat(golden.at("gradients")[i]));
      expect_close(steps.variable(), flat(c.at("weights_after_step")[i]), 1e-6, 1e-7);
    }
    EXPECT_EQ(steps.slot_count(), c.at("slots").size());
    for (const auto& [name, values] : c.at("slots").items()) expect_close(steps.slot(name), flat(values), 1e-6, 1e-12);
  }
  EXPECT_GE(golden.at("cases").size(), 12u);
}

TEST(Optimizer, SgdByHand) {
  Steps plain(optimizers::SGD({.learning_rate = 0.5}), constant({1.0, 2.0}, {2}));
  plain.apply(constant({2.0, -4.0}, {2}));
  EXPECT_EQ(plain.variable().to_vector<double>(), (std::vector<double>{0.0, 4.0}));

  Steps heavy(optimizers::SGD({.learning_rate = 0.5, .momentum = 0.5}), constant({0.0}, {1}));
  heavy.apply(constant({1.0}, {1}));  // v = -0.5
  heavy.apply(constant({1.0}, {1}));  // v = -0.75
  EXPECT_DOUBLE_EQ(heavy.variable().item<double>(), -1.25);

  Steps nesterov(optimizers::SGD({.learning_rate = 0.5, .momentum = 0.5, .nesterov = true}), constant({0.0}, {1}));
  nesterov.apply(constant({1.0}, {1}));  // v = -0.5, w += 0.5 v - 0.5
  EXPECT_DOUBLE_EQ(nesterov.variable().item<double>(), -0.75);
}

TEST(Optimizer, RmspropPutsEpsilonUnderTheRoot) {
  Steps steps(optimizers::RMSprop({.learning_rate = 0.1, .rho = 0.75, .epsilon = 3.0}), constant({0.0}, {1}));
  steps.apply(constant({2.0}, {1}));  // v = 0.25 * 4 = 1
  EXPECT_DOUBLE_EQ(steps.variable().item<double>(), -0.1 * 2.0 / 2.0);
  EXPECT_DOUBLE_EQ(steps.slot("velocity").item<double>(), 1.0);
}

TEST(Optimizer, AdamMovesByTheLearningRateAtFirst) {
  Steps steps(optimizers::Adam({.learning_rate = 0.25, .epsilon = 0.0}), constant({1.0, 1.0}, {2}));
  steps.apply(constant({1e-3, -1e3}, {2}));
  const auto after = steps.variable().to_vector<double>();
  EXPECT_NEAR(after[0], 0.75, 1e-12);
  EXPECT_NEAR(after[1], 1.25, 1e-12);
}

TEST(Optimizer, AnyCutOfTheRangeGivesTheSameBits) {
  for (const Optimizer& optimizer : {optimizers::SGD({.momentum = 0.9}), optimizers::RMSprop({.momentum = 0.5}),
                                     optimizers::Adam({.amsgrad = true})}) {
    const Tensor w = ops::cast(ops::iota({37}, 0), Dtype::float32) / 7.0;
    const Tensor g = ops::sin(w);
    Steps whole(optimizer, w);
    Steps part(optimizer, ops::slice(w, {5}, {24}));
    for (int i = 0; i < 3; ++i) {
      whole.apply(g);
      part.apply(ops::slice(g, {5}, {24}));
    }
    EXPECT_EQ(ops::slice(whole.variable(), {5}, {24}).to_vector<float>(), part.variable().to_vector<float>())
        << optimizer->class_name();
  }
}

TEST(Optimizer, NamesOfKeras) {
  EXPECT_EQ(Optimizer("rmsprop")->class_name(), "RMSprop");
  EXPECT_EQ(Optimizer("SGD")->class_name(), "SGD");
  EXPECT_EQ(Optimizer("Adam").learning_rate(), 0.001);
  EXPECT_EQ(Optimizer("sgd").learning_rate(), 0.01);
  EXPECT_THROW(Optimizer("adamm"), ConfigError);
  EXPECT_FALSE(Optimizer());
}

TEST(Optimizer, ConfigsAreThoseOfKeras) {
  EXPECT_EQ(optimizers::SGD({.momentum = 0.9})->config().to_json(), R"({"momentum": 0.9, "nesterov": false})");
  EXPECT_EQ(optimizers::RMSprop()->config().to_json(),
            R"({"rho": 0.9, "momentum": 0.0, "epsilon": 1e-07, "centered": false})");
  EXPECT_EQ(optimizers::Adam()->config().to_json(),
            R"({"beta_1": 0.9, "beta_2": 0.999, "epsilon": 1e-07, "amsgrad": false})");
}

TEST(Optimizer, BadArgumentsAreErrors) {
  const double nan = std::nan("");
  for (const double bad : {-0.1, 1.1, nan}) {
    EXPECT_THROW(optimizers::SGD({.momentum = bad}), ConfigError);
    EXPECT_THROW(optimizers::RMSprop({.rho = bad}), ConfigError);
    EXPECT_THROW(optimizers::RMSprop({.momentum = bad}), ConfigError);
    EXPECT_THROW(optimizers::Adam({.beta_1 = bad}), ConfigError);
  }
  EXPECT_THROW(optimizers::Adam({.beta_2 = 1.0}), ConfigError);
  EXPECT_THROW(optimizers::Adam({.epsilon = -1.0}), ConfigError);
  for (const double bad : {-1.0, nan, std::numeric_limits<double>::infinity()}) {
    EXPECT_THROW(optimizers::SGD({.learning_rate = bad}), ConfigError);
    EXPECT_THROW(Optimizer("sgd").set_learning_rate(bad), ConfigError);
  }
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
  EXPECT_EQ(&*first, &*second);
}

}  // namespace
}  // namespace strata
