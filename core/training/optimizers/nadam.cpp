// SPDX-License-Identifier: Apache-2.0
#include <cmath>

#include "core/training/optimizers/adam_rule.h"

namespace strata {
namespace {

constexpr double kDecay = 0.96;  // of the momentum schedule

class NadamRule final : public OptimizerRule {
 public:
  explicit NadamRule(const optimizers::AdamLikeOptions& options) : options_(options) {}
  std::string class_name() const override { return "Nadam"; }
  Config config() const override { return adam_like_config(options_); }
  std::vector<SlotSpec> slots() const override { return {{"momentum"}, {"velocity"}}; }
  std::vector<ScalarSpec> scalars() const override { return {{"u_product", 1.0}}; }
  void advance(std::span<double> scalars, std::int64_t iteration) const override {
    scalars[0] *= options_.beta_1 * (1.0 - 0.5 * std::pow(kDecay, static_cast<double>(iteration + 1)));
  }

  std::vector<Tensor> update(const UpdateInputs& in) const override {
    const Tensor power = decay_power(kDecay, in.iteration, in.learning_rate);
    const Tensor u = (1.0 - 0.5 * power) * options_.beta_1;
    const Tensor next_u = (1.0 - 0.5 * kDecay * power) * options_.beta_1;
    const Tensor& product = in.scalars[0];
    // Keras takes the decays as numbers of the variable's dtype, so that 1 - 0.999 is rounded.
    const auto moved_in_dtype = [](const Tensor& average, const Tensor& value, double decay) {
      return average + (value - average) * (1.0 - scalar(decay, value.dtype()));
    };
    const Tensor m = moved_in_dtype(in.slots[0], in.gradient, options_.beta_1);
    const Tensor v = moved_in_dtype(in.slots[1], ops::square(in.gradient), options_.beta_2);
    const Tensor m_hat = m * (next_u / (1.0 - product * next_u)) + in.gradient * ((1.0 - u) / (1.0 - product));
    const Tensor v_hat = v / (1.0 - decay_power(options_.beta_2, in.iteration, in.learning_rate));
    return {in.variable - m_hat * in.learning_rate / (ops::sqrt(v_hat) + options_.epsilon), m, v};
  }

 private:
  optimizers::AdamLikeOptions options_;
};

}  // namespace

Optimizer optimizers::Nadam(const AdamLikeOptions& options, const OptimizerOptions& common) {
  check_adam_like(options.beta_1, options.beta_2, options.epsilon);
  return {std::make_shared<NadamRule>(options), options.learning_rate, common};
}

void register_nadam(OptimizerTable& table) { add_adam_like(table, "Nadam", optimizers::Nadam); }

}  // namespace strata
