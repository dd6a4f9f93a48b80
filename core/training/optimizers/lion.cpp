// SPDX-License-Identifier: Apache-2.0
#include "core/ops/ops.h"
#include "core/training/optimizers/table.h"

namespace strata {
namespace {

class LionRule final : public OptimizerRule {
 public:
  explicit LionRule(const optimizers::LionOptions& options) : options_(options) {}
  std::string class_name() const override { return "Lion"; }
  Config config() const override { return Config::object({{"beta_1", options_.beta_1}, {"beta_2", options_.beta_2}}); }
  std::vector<SlotSpec> slots() const override { return {{"momentum"}}; }

  std::vector<Tensor> update(const UpdateInputs& in) const override {
    const Tensor step = in.learning_rate * ops::sign(mixed(in, options_.beta_1));
    return {in.variable - step, mixed(in, options_.beta_2)};
  }

 private:
  static Tensor mixed(const UpdateInputs& in, double beta) {
    const Tensor share = scalar(beta, in.gradient.dtype());  // of that dtype 1 - beta is rounded, as in Keras
    return in.slots[0] * share + in.gradient * (1.0 - share);
  }

  optimizers::LionOptions options_;
};

}  // namespace

Optimizer optimizers::Lion(const LionOptions& options, const OptimizerOptions& common) {
  if (!(options.beta_1 > 0.0 && options.beta_1 <= 1.0)) {
    throw ConfigError(
        "Argument `beta_1` must be in the [0, 1] range. Otherwise, the optimizer degenerates to SignSGD. Received: "
        "beta_1=" +
        Config(options.beta_1).to_json() + ".");
  }
  require_fraction("beta_2", options.beta_2);
  return {std::make_shared<LionRule>(options), options.learning_rate, common};
}

void register_lion(OptimizerTable& table) {
  add_optimizer(table, "Lion", {"beta_1", "beta_2"}, [](const RuleArguments& a) {
    const optimizers::LionOptions o;
    return optimizers::Lion(
        {learning_rate(a, o.learning_rate), a.number("beta_1", o.beta_1), a.number("beta_2", o.beta_2)},
        optimizer_options(a));
  });
}

}  // namespace strata
