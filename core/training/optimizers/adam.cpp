// SPDX-License-Identifier: Apache-2.0
#include "core/ops/adam_update.h"
#include "core/training/optimizers/adam_rule.h"

namespace strata {
namespace {

class AdamRule final : public OptimizerRule {
 public:
  AdamRule(std::string class_name, const optimizers::AdamOptions& options)
      : class_name_(std::move(class_name)), options_(options) {}
  std::string class_name() const override { return class_name_; }
  Config config() const override {
    return Config::object({{"beta_1", options_.beta_1},
                           {"beta_2", options_.beta_2},
                           {"epsilon", options_.epsilon},
                           {"amsgrad", options_.amsgrad}});
  }
  std::vector<SlotSpec> slots() const override {
    std::vector<SlotSpec> slots{{"momentum"}, {"velocity"}};
    if (options_.amsgrad) slots.push_back({.name = "velocity_hat", .group = 1});
    return slots;
  }

  std::vector<Tensor> update(const UpdateInputs& in) const override {
    const Tensor rate = corrected_rate(in, options_.beta_1, options_.beta_2);
    if (!options_.amsgrad) {
      return ops::adam_update(in.variable, in.gradient, in.slots[0], in.slots[1], rate, options_.beta_1,
                              options_.beta_2, options_.epsilon);
    }
    const Tensor m = moved(in.slots[0], in.gradient, options_.beta_1);
    const Tensor v = moved(in.slots[1], ops::square(in.gradient), options_.beta_2);
    const Tensor largest = ops::maximum(in.slots[2], v);
    return {in.variable - m * rate / (ops::sqrt(largest) + options_.epsilon), m, v, largest};
  }

 private:
  std::string class_name_;
  optimizers::AdamOptions options_;
};

}  // namespace

void check_adam_like(double beta_1, double beta_2, double epsilon) {
  require_decay("beta_1", beta_1);
  require_decay("beta_2", beta_2);
  require_not_negative("epsilon", epsilon);
}

optimizers::AdamLikeOptions read_adam_like(const RuleArguments& a) {
  const optimizers::AdamLikeOptions o;
  return {learning_rate(a, o.learning_rate), a.number("beta_1", o.beta_1), a.number("beta_2", o.beta_2),
          a.number("epsilon", o.epsilon)};
}

Config adam_like_config(const optimizers::AdamLikeOptions& o) {
  return Config::object({{"beta_1", o.beta_1}, {"beta_2", o.beta_2}, {"epsilon", o.epsilon}});
}

void add_adam_like(OptimizerTable& table, const std::string& class_name,
                   Optimizer (*make)(const optimizers::AdamLikeOptions&, const OptimizerOptions&)) {
  add_optimizer(table, class_name, {"beta_1", "beta_2", "epsilon"},
                [make](const RuleArguments& a) { return make(read_adam_like(a), optimizer_options(a)); });
}

std::vector<std::string> adam_arguments() { return {"beta_1", "beta_2", "epsilon", "amsgrad"}; }

optimizers::AdamOptions read_adam(const RuleArguments& a) {
  const auto [rate, beta_1, beta_2, epsilon] = read_adam_like(a);
  return {rate, beta_1, beta_2, epsilon, a.flag("amsgrad", false)};
}

Optimizer make_adam(const std::string& class_name, const optimizers::AdamOptions& options,
                    const OptimizerOptions& common) {
  check_adam_like(options.beta_1, options.beta_2, options.epsilon);
  return {std::make_shared<AdamRule>(class_name, options), options.learning_rate, common};
}

Optimizer optimizers::Adam(const AdamOptions& options, const OptimizerOptions& common) {
  return make_adam("Adam", options, common);
}

void register_adam(OptimizerTable& table) {
  add_optimizer(table, "Adam", adam_arguments(),
                [](const RuleArguments& a) { return optimizers::Adam(read_adam(a), optimizer_options(a)); });
}

}  // namespace strata
