// SPDX-License-Identifier: Apache-2.0
#include "core/ops/ops.h"
#include "core/training/optimizers/table.h"

namespace strata {
namespace {

class AdadeltaRule final : public OptimizerRule {
 public:
  explicit AdadeltaRule(const optimizers::AdadeltaOptions& options) : options_(options) {}
  std::string class_name() const override { return "Adadelta"; }
  Config config() const override { return Config::object({{"rho", options_.rho}, {"epsilon", options_.epsilon}}); }
  std::vector<SlotSpec> slots() const override { return {{"accumulated_grad"}, {"accumulated_delta_var"}}; }

  std::vector<Tensor> update(const UpdateInputs& in) const override {
    const Tensor gradients = decayed(in.slots[0], in.gradient);
    const Tensor change = -(rms(in.slots[1]) * in.gradient / rms(gradients));
    return {in.variable + in.learning_rate * change, gradients, decayed(in.slots[1], change)};
  }

 private:
  Tensor rms(const Tensor& mean_square) const { return ops::sqrt(mean_square + options_.epsilon); }
  /// The moving mean square after one more value.
  Tensor decayed(const Tensor& mean_square, const Tensor& value) const {
    return mean_square * options_.rho + ops::square(value) * (1.0 - options_.rho);
  }

  optimizers::AdadeltaOptions options_;
};

}  // namespace

Optimizer optimizers::Adadelta(const AdadeltaOptions& options, const OptimizerOptions& common) {
  require_fraction("rho", options.rho);
  require_not_negative("epsilon", options.epsilon);
  return {std::make_shared<AdadeltaRule>(options), options.learning_rate, common};
}

void register_adadelta(OptimizerTable& table) {
  add_optimizer(table, "Adadelta", {"rho", "epsilon"}, [](const RuleArguments& a) {
    const optimizers::AdadeltaOptions o;
    return optimizers::Adadelta(
        {learning_rate(a, o.learning_rate), a.number("rho", o.rho), a.number("epsilon", o.epsilon)},
        optimizer_options(a));
  });
}

}  // namespace strata
