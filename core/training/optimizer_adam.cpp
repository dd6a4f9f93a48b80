// SPDX-License-Identifier: Apache-2.0
#include "core/base/error.h"
#include "core/ops/ops.h"
#include "core/training/optimizer.h"
#include "core/training/optimizer_options.h"

namespace strata {
namespace {

class AdamRule final : public OptimizerRule {
 public:
  explicit AdamRule(const optimizers::AdamOptions& options) : options_(options) {}
  std::string class_name() const override { return "Adam"; }
  Config config() const override {
    return Config::object({{"beta_1", options_.beta_1},
                           {"beta_2", options_.beta_2},
                           {"epsilon", options_.epsilon},
                           {"amsgrad", options_.amsgrad}});
  }
  std::vector<SlotSpec> slots() const override {
    std::vector<SlotSpec> slots{{"momentum"}, {"velocity"}};
    if (options_.amsgrad) slots.push_back({"velocity_hat"});
    return slots;
  }

  std::vector<Tensor> update(const UpdateInputs& in) const override {
    const Tensor& m = in.slots[0];
    const Tensor& v = in.slots[1];
    const Tensor new_m = m + (in.gradient - m) * (1.0 - options_.beta_1);
    const Tensor new_v = v + (ops::square(in.gradient) - v) * (1.0 - options_.beta_2);
    std::vector<Tensor> results{Tensor(), new_m, new_v};
    if (options_.amsgrad) results.push_back(ops::maximum(in.slots[2], new_v));
    results[0] = in.variable - new_m * rate(in) / (ops::sqrt(results.back()) + options_.epsilon);
    return results;
  }

 private:
  /// The learning rate corrected for slots that began at zero: a scalar.
  Tensor rate(const UpdateInputs& in) const {
    const Tensor step = ops::cast(in.iteration + 1.0, in.learning_rate.dtype());
    const Tensor power_1 = ops::power(scalar(options_.beta_1, step.dtype()), step);
    const Tensor power_2 = ops::power(scalar(options_.beta_2, step.dtype()), step);
    return in.learning_rate * ops::sqrt(1.0 - power_2) / (1.0 - power_1);
  }

  optimizers::AdamOptions options_;
};

/// A decay of 1 would divide by zero.
void require_decay(const char* argument, double value) {
  require_fraction(argument, value);
  if (value == 1.0) throw ConfigError("`" + std::string(argument) + "` must be less than 1. Received: 1.0");
}

}  // namespace

Optimizer optimizers::Adam(const AdamOptions& options) {
  require_decay("beta_1", options.beta_1);
  require_decay("beta_2", options.beta_2);
  require_not_negative("epsilon", options.epsilon);
  return {std::make_shared<AdamRule>(options), options.learning_rate};
}

}  // namespace strata
