// SPDX-License-Identifier: Apache-2.0
// Optimizers and schedules against values that real Keras computed.
#include <gtest/gtest.h>

#include "core/training/optimizer.h"
#include "tests/support/golden_values.h"
#include "tests/support/optimizer_steps.h"

namespace strata {
namespace {

using testing::expect_close;
using testing::golden_tensor;
using testing::OptimizerSteps;

constexpr double kRelative = 1e-6;  // of a float32: six to eight units in the last place after twenty steps
constexpr double kAbsolute = 1e-6;  // of variables, of about 1, that went through values of that size

std::vector<Tensor> tensors(const nlohmann::json& arrays) {
  std::vector<Tensor> result;
  for (const auto& array : arrays) result.push_back(golden_tensor(array));
  return result;
}

Optimizer make_optimizer(const nlohmann::json& c) {
  Optimizer optimizer = Optimizer::from_config(Config::from_json(c.at("optimizer").get<std::string>()));
  const auto exclude = c.at("exclude").get<std::vector<std::string>>();
  if (!exclude.empty()) optimizer.exclude_from_weight_decay(exclude);
  return optimizer;
}

testing::OptimizerStepsOptions steps_options(const nlohmann::json& golden, const nlohmann::json& c) {
  testing::OptimizerStepsOptions options{golden.at("paths"), tensors(golden.at("initial_weights"))};
  if (c.contains("constraint")) {
    const Constraint constraint = Constraint::from_config(Config::from_json(c.at("constraint").get<std::string>()));
    options.rules.assign(options.paths.size(), WeightRule{.constraint = constraint});
  }
  return options;
}

void expect_weights(const OptimizerSteps& steps, const nlohmann::json& expected) {
  for (std::size_t i = 0; i < expected.size(); ++i) {
    SCOPED_TRACE("variable " + std::to_string(i));
    expect_close(steps.variable(i), golden_tensor(expected[i]), kRelative, kAbsolute);
  }
}

/// Keras has no names of their own for the factors of Adafactor and the product of Nadam.
bool has_keras_name(const std::string& name) {
  return !name.ends_with("nadam/u_product") && !name.ends_with("_r") && !name.ends_with("_c");
}

void expect_slots(const OptimizerSteps& steps, const nlohmann::json& expected) {
  const auto slots = steps.slots();
  ASSERT_EQ(slots.size(), expected.size());
  for (std::size_t s = 0; s < slots.size(); ++s) {
    SCOPED_TRACE(slots[s].name);
    if (has_keras_name(slots[s].name)) {
      EXPECT_EQ(slots[s].name, expected[s].at("name"));
    }
    const Tensor value = golden_tensor(expected[s]);
    const double largest = ops::max(ops::abs(ops::cast(value, Dtype::float64))).item<double>();
    double relative = kRelative;
    if (expected[s].contains("exception")) relative = expected[s].at("exception").at("rtol");
    expect_close(slots[s].value, value, relative, kRelative * largest);
  }
}

TEST(OptimizerGolden, TwentyStepsEqualThoseOfKeras) {
  const auto golden = testing::read_golden("optimizers.json");
  for (const auto& c : golden.at("cases")) {
    SCOPED_TRACE(c.at("name").get<std::string>());
    const Optimizer optimizer = make_optimizer(c);
    OptimizerSteps steps(optimizer, steps_options(golden, c));
    for (std::size_t i = 0; i < golden.at("gradients").size(); ++i) {
      const std::string number = std::to_string(i + 1);
      std::vector<Tensor> gradients = tensors(golden.at("gradients")[i]);
      if (c.contains("not_finite") && c.at("not_finite").contains(number)) {
        const double value = std::stod(c.at("not_finite").at(number).get<std::string>());
        gradients[1] = ops::scatter_rows(gradients[1], constant<std::int64_t>({2}, {1}),
                                         constant<float>({static_cast<float>(value)}, {1}));
      }
      steps.apply(gradients);
      SCOPED_TRACE("step " + number);
      if (c.at("weights").contains(number)) expect_weights(steps, c.at("weights").at(number));
    }
    expect_slots(steps, c.at("slots"));
    EXPECT_EQ(optimizer.iterations(), c.at("iterations").get<std::int64_t>());
    if (!c.contains("finalized")) continue;
    steps.state().finalize_variable_values(optimizer);
    expect_weights(steps, c.at("finalized"));
  }
  EXPECT_GE(golden.at("cases").size(), 55U);
}

/// Keys in order, and values; Keras has learning rates in float32, and Muon's adam_lr_ratio as the integer 1.
void expect_config(const Config& actual, const Config& expected) {
  ASSERT_EQ(actual.is_object(), expected.is_object()) << expected.to_json();
  if (!expected.is_object()) {
    if (expected.is_double() || actual.is_double()) {
      EXPECT_EQ(static_cast<float>(actual.as_double()), static_cast<float>(expected.as_double()));
    } else {
      EXPECT_EQ(actual.to_json(), expected.to_json());
    }
    return;
  }
  ASSERT_EQ(actual.as_object().size(), expected.as_object().size()) << actual.to_json();
  for (std::size_t i = 0; i < expected.as_object().size(); ++i) {
    const auto& [key, value] = expected.as_object()[i];
    SCOPED_TRACE(key);
    EXPECT_EQ(actual.as_object()[i].first, key);
    expect_config(actual.as_object()[i].second, value);
  }
}

TEST(OptimizerGolden, ConfigsAreThoseOfKeras) {
  const auto golden = testing::read_golden("optimizers.json");
  int compared = 0;
  for (const auto& c : golden.at("cases")) {
    SCOPED_TRACE(c.at("name").get<std::string>());
    const Optimizer optimizer = make_optimizer(c);
    EXPECT_EQ(Optimizer::from_config(optimizer.config()).config(), optimizer.config());
    const Config expected = Config::from_json(c.at("optimizer").get<std::string>());
    if (optimizer->class_name() == "LARS") continue;  // not Keras'
    expect_config(optimizer.config(), expected);
    ++compared;
  }
  EXPECT_GE(compared, 55);
}

TEST(ScheduleGolden, RatesAndConfigsEqualThoseOfKeras) {
  const auto golden = testing::read_golden("optimizers.json");
  for (const auto& c : golden.at("schedules")) {
    const Config config = Config::from_json(c.at("schedule").get<std::string>());
    SCOPED_TRACE(config.to_json());
    const LearningRate rate = LearningRate::from_config(config);
    EXPECT_TRUE(rate.is_schedule());
    expect_config(rate.config(), config);
    for (std::size_t i = 0; i < c.at("steps").size(); ++i) {
      const double expected = c.at("rates")[i];
      EXPECT_NEAR(rate.at(c.at("steps")[i]), expected, 1e-12) << "step " << c.at("steps")[i];
    }
  }
  EXPECT_GE(golden.at("schedules").size(), 13U);
}

}  // namespace
}  // namespace strata
