// SPDX-License-Identifier: Apache-2.0
#include "core/training/optimizers/adam_rule.h"
#include "core/training/optimizers/trust_ratio.h"

namespace strata {
namespace {

class LambRule final : public OptimizerRule {
 public:
  explicit LambRule(const optimizers::AdamLikeOptions& options) : options_(options) {}
  std::string class_name() const override { return "Lamb"; }
  Config config() const override { return adam_like_config(options_); }
  UpdateScope scope() const override { return UpdateScope::norms; }
  std::vector<SlotSpec> slots() const override { return {{"momentum"}, {"velocity"}}; }

  std::vector<Tensor> direction(const UpdateInputs& in) const override {
    const Tensor m = moved(in.slots[0], in.gradient, options_.beta_1);
    const Tensor v = moved(in.slots[1], ops::square(in.gradient), options_.beta_2);
    const Tensor m_hat = m / (1.0 - decay_power(options_.beta_1, in.iteration, in.learning_rate));
    const Tensor v_hat = v / (1.0 - decay_power(options_.beta_2, in.iteration, in.learning_rate));
    return {m_hat / (ops::sqrt(v_hat) + options_.epsilon), m, v};
  }

  std::vector<Tensor> update(const UpdateInputs& in) const override {
    const Tensor rate = trust_ratio(in, in.direction_norm) * in.learning_rate;
    return {in.variable - rate * in.gradient, in.slots[0], in.slots[1]};
  }

 private:
  optimizers::AdamLikeOptions options_;
};

}  // namespace

Optimizer optimizers::Lamb(const AdamLikeOptions& options, const OptimizerOptions& common) {
  check_adam_like(options.beta_1, options.beta_2, options.epsilon);
  return {std::make_shared<LambRule>(options), options.learning_rate, common};
}

void register_lamb(OptimizerTable& table) { add_adam_like(table, "Lamb", optimizers::Lamb); }

}  // namespace strata
