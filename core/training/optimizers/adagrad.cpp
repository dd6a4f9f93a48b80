// SPDX-License-Identifier: Apache-2.0
#include "core/ops/ops.h"
#include "core/training/optimizers/table.h"

namespace strata {
namespace {

class AdagradRule final : public OptimizerRule {
 public:
  explicit AdagradRule(const optimizers::AdagradOptions& options) : options_(options) {}
  std::string class_name() const override { return "Adagrad"; }
  Config config() const override {
    return Config::object(
        {{"initial_accumulator_value", options_.initial_accumulator_value}, {"epsilon", options_.epsilon}});
  }
  // An accumulator of 0 without an epsilon makes 0 / 0 of it.
  bool ignores_zero_gradients() const override {
    return options_.initial_accumulator_value > 0.0 || options_.epsilon > 0.0;
  }
  std::vector<SlotSpec> slots() const override { return {{"accumulator", options_.initial_accumulator_value}}; }

  std::vector<Tensor> update(const UpdateInputs& in) const override {
    const Tensor accumulator = in.slots[0] + ops::square(in.gradient);
    return {in.variable - in.learning_rate * in.gradient / ops::sqrt(accumulator + options_.epsilon), accumulator};
  }

 private:
  optimizers::AdagradOptions options_;
};

}  // namespace

Optimizer optimizers::Adagrad(const AdagradOptions& options, const OptimizerOptions& common) {
  require_not_negative("initial_accumulator_value", options.initial_accumulator_value);
  require_not_negative("epsilon", options.epsilon);
  return {std::make_shared<AdagradRule>(options), options.learning_rate, common};
}

void register_adagrad(OptimizerTable& table) {
  add_optimizer(table, "Adagrad", {"initial_accumulator_value", "epsilon"}, [](const RuleArguments& a) {
    const optimizers::AdagradOptions o;
    return optimizers::Adagrad(
        {learning_rate(a, o.learning_rate), a.number("initial_accumulator_value", o.initial_accumulator_value),
         a.number("epsilon", o.epsilon)},
        optimizer_options(a));
  });
}

}  // namespace strata
