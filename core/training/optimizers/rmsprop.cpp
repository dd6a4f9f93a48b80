// SPDX-License-Identifier: Apache-2.0
#include "core/ops/ops.h"
#include "core/ops/rmsprop_update.h"
#include "core/training/optimizers/table.h"

namespace strata {
namespace {

class RmspropRule final : public OptimizerRule {
 public:
  explicit RmspropRule(const optimizers::RMSpropOptions& options) : options_(options) {}
  std::string class_name() const override { return "RMSprop"; }
  Config config() const override {
    return Config::object({{"rho", options_.rho},
                           {"momentum", options_.momentum},
                           {"epsilon", options_.epsilon},
                           {"centered", options_.centered}});
  }
  std::vector<SlotSpec> slots() const override {
    std::vector<SlotSpec> slots{{"velocity"}};
    if (options_.momentum > 0.0) slots.push_back({.name = "momentum", .group = 1});
    if (options_.centered) slots.push_back({.name = "average_gradient", .group = 2});
    return slots;
  }

  std::vector<Tensor> update(const UpdateInputs& in) const override {
    if (options_.momentum == 0.0 && !options_.centered) {
      return ops::rmsprop_update(in.variable, in.gradient, in.slots[0], in.learning_rate, options_.rho,
                                 options_.epsilon);
    }
    std::vector<Tensor> slots{decayed(in.slots[0], ops::square(in.gradient))};
    Tensor variance = slots[0];
    if (options_.centered) {
      const Tensor average = decayed(in.slots.back(), in.gradient);
      variance = variance - ops::square(average);
      slots.push_back(average);
    }
    Tensor step = in.learning_rate * in.gradient / ops::sqrt(variance + options_.epsilon);
    if (options_.momentum > 0.0) {
      step = in.slots[1] * options_.momentum + step;
      slots.insert(slots.begin() + 1, step);
    }
    slots.insert(slots.begin(), in.variable - step);
    return slots;
  }

 private:
  /// The moving average after one more value.
  Tensor decayed(const Tensor& average, const Tensor& value) const {
    return average * options_.rho + value * (1.0 - options_.rho);
  }

  optimizers::RMSpropOptions options_;
};

}  // namespace

Optimizer optimizers::RMSprop(const RMSpropOptions& options, const OptimizerOptions& common) {
  require_fraction("rho", options.rho);
  require_fraction("momentum", options.momentum);
  require_not_negative("epsilon", options.epsilon);
  return {std::make_shared<RmspropRule>(options), options.learning_rate, common};
}

void register_rmsprop(OptimizerTable& table) {
  add_optimizer(table, "RMSprop", {"rho", "momentum", "epsilon", "centered"}, [](const RuleArguments& a) {
    const optimizers::RMSpropOptions o;
    return optimizers::RMSprop(
        {learning_rate(a, o.learning_rate), a.number("rho", o.rho), a.number("momentum", o.momentum),
         a.number("epsilon", o.epsilon), a.flag("centered", o.centered)},
        optimizer_options(a));
  });
}

}  // namespace strata
