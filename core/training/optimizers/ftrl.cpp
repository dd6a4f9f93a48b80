// SPDX-License-Identifier: Apache-2.0
#include "core/ops/ops.h"
#include "core/training/optimizers/table.h"

namespace strata {
namespace {

class FtrlRule final : public OptimizerRule {
 public:
  explicit FtrlRule(const optimizers::FtrlOptions& options) : options_(options) {}
  std::string class_name() const override { return "Ftrl"; }
  Config config() const override {
    return Config::object({{"learning_rate_power", options_.learning_rate_power},
                           {"initial_accumulator_value", options_.initial_accumulator_value},
                           {"l1_regularization_strength", options_.l1_regularization_strength},
                           {"l2_regularization_strength", options_.l2_regularization_strength},
                           {"l2_shrinkage_regularization_strength", options_.l2_shrinkage_regularization_strength},
                           {"beta", options_.beta}});
  }
  std::vector<SlotSpec> slots() const override {
    return {{"accumulator", options_.initial_accumulator_value}, {"linear"}};
  }

  std::vector<Tensor> update(const UpdateInputs& in) const override {
    const double l1 = options_.l1_regularization_strength;
    const Dtype dtype = in.variable.dtype();
    const Tensor gradient = in.gradient + in.variable * (2.0 * options_.l2_shrinkage_regularization_strength);
    const Tensor accumulator = in.slots[0] + ops::square(in.gradient);
    const Tensor inverse_rate = inverse_rates(accumulator);
    // The old accumulator comes first, so that it has been read when the new one takes its place.
    const Tensor shrinkage = (inverse_rates(in.slots[0]) - inverse_rate) / in.learning_rate;
    const Tensor linear = in.slots[1] + (gradient + shrinkage * in.variable);
    const Tensor l2 = options_.beta / (in.learning_rate * 2.0) + options_.l2_regularization_strength;
    const Tensor quadratic = inverse_rate / in.learning_rate + l2 * 2.0;
    const Tensor clipped = ops::maximum(ops::minimum(linear, scalar(l1, dtype)), scalar(-l1, dtype));
    return {(clipped - linear) / quadratic, accumulator, linear};
  }

 private:
  /// accumulator^-power; the usual power as a root.
  Tensor inverse_rates(const Tensor& accumulator) const {
    if (options_.learning_rate_power == -0.5) return ops::sqrt(accumulator);
    return ops::power(accumulator, scalar(-options_.learning_rate_power, accumulator.dtype()));
  }

  optimizers::FtrlOptions options_;
};

void require_strength(const char* argument, double value) {
  if (value >= 0.0) return;
  const std::string name = argument;
  throw ConfigError("`" + name + "` needs to be positive or zero. Received: " + name + "=" + Config(value).to_json() +
                    ".");
}

}  // namespace

Optimizer optimizers::Ftrl(const FtrlOptions& o, const OptimizerOptions& common) {
  require_strength("initial_accumulator_value", o.initial_accumulator_value);
  if (!(o.learning_rate_power <= 0.0)) {
    throw ConfigError("`learning_rate_power` needs to be negative or zero. Received: learning_rate_power=" +
                      Config(o.learning_rate_power).to_json() + ".");
  }
  require_strength("l1_regularization_strength", o.l1_regularization_strength);
  require_strength("l2_regularization_strength", o.l2_regularization_strength);
  require_strength("l2_shrinkage_regularization_strength", o.l2_shrinkage_regularization_strength);
  return {std::make_shared<FtrlRule>(o), o.learning_rate, common};
}

void register_ftrl(OptimizerTable& table) {
  add_optimizer(table, "Ftrl",
                {"learning_rate_power", "initial_accumulator_value", "l1_regularization_strength",
                 "l2_regularization_strength", "l2_shrinkage_regularization_strength", "beta"},
                [](const RuleArguments& a) {
                  const optimizers::FtrlOptions o;
                  return optimizers::Ftrl(
                      {learning_rate(a, o.learning_rate), a.number("learning_rate_power", o.learning_rate_power),
                       a.number("initial_accumulator_value", o.initial_accumulator_value),
                       a.number("l1_regularization_strength", o.l1_regularization_strength),
                       a.number("l2_regularization_strength", o.l2_regularization_strength),
                       a.number("l2_shrinkage_regularization_strength", o.l2_shrinkage_regularization_strength),
                       a.number("beta", o.beta)},
                      optimizer_options(a));
                });
}

}  // namespace strata
