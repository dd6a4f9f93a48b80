// SPDX-License-Identifier: Apache-2.0
#include "core/ops/ops.h"
#include "core/training/optimizers/table.h"

namespace strata {
namespace {

class SgdRule final : public OptimizerRule {
 public:
  explicit SgdRule(const optimizers::SGDOptions& options) : options_(options) {}
  std::string class_name() const override { return "SGD"; }
  Config config() const override {
    return Config::object({{"momentum", options_.momentum}, {"nesterov", options_.nesterov}});
  }
  bool ignores_zero_gradients() const override { return options_.momentum == 0.0; }
  std::vector<SlotSpec> slots() const override {
    if (options_.momentum == 0.0) return {};
    return {{"momentum"}};
  }

  std::vector<Tensor> update(const UpdateInputs& in) const override {
    const Tensor step = in.gradient * in.learning_rate;
    if (options_.momentum == 0.0) return {in.variable - step};
    const Tensor velocity = in.slots[0] * options_.momentum - step;
    const Tensor change = options_.nesterov ? velocity * options_.momentum - step : velocity;
    return {in.variable + change, velocity};
  }

 private:
  optimizers::SGDOptions options_;
};

}  // namespace

Optimizer optimizers::SGD(const SGDOptions& options, const OptimizerOptions& common) {
  if (!(options.momentum >= 0.0 && options.momentum <= 1.0)) {
    throw ConfigError("`momentum` must be a float between [0, 1].");
  }
  return {std::make_shared<SgdRule>(options), options.learning_rate, common};
}

void register_sgd(OptimizerTable& table) {
  add_optimizer(table, "SGD", {"momentum", "nesterov"}, [](const RuleArguments& a) {
    const optimizers::SGDOptions o;
    return optimizers::SGD(
        {learning_rate(a, o.learning_rate), a.number("momentum", o.momentum), a.flag("nesterov", o.nesterov)},
        optimizer_options(a));
  });
}

}  // namespace strata
