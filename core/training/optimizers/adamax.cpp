// SPDX-License-Identifier: Apache-2.0
#include "core/training/optimizers/adam_rule.h"

namespace strata {
namespace {

class AdamaxRule final : public OptimizerRule {
 public:
  explicit AdamaxRule(const optimizers::AdamLikeOptions& options) : options_(options) {}
  std::string class_name() const override { return "Adamax"; }
  Config config() const override { return adam_like_config(options_); }
  std::vector<SlotSpec> slots() const override { return {{"momentum"}, {"norm"}}; }

  std::vector<Tensor> update(const UpdateInputs& in) const override {
    const Tensor m = moved(in.slots[0], in.gradient, options_.beta_1);
    const Tensor u = ops::maximum(in.slots[1] * options_.beta_2, ops::abs(in.gradient));
    const Tensor correction = 1.0 - decay_power(options_.beta_1, in.iteration, in.learning_rate);
    return {in.variable - in.learning_rate * m / (correction * (u + options_.epsilon)), m, u};
  }

 private:
  optimizers::AdamLikeOptions options_;
};

}  // namespace

Optimizer optimizers::Adamax(const AdamLikeOptions& options, const OptimizerOptions& common) {
  check_adam_like(options.beta_1, options.beta_2, options.epsilon);
  return {std::make_shared<AdamaxRule>(options), options.learning_rate, common};
}

void register_adamax(OptimizerTable& table) { add_adam_like(table, "Adamax", optimizers::Adamax); }

}  // namespace strata
