// SPDX-License-Identifier: Apache-2.0
#include "core/ops/ops.h"
#include "core/training/optimizers/table.h"
#include "core/training/optimizers/trust_ratio.h"

namespace strata {
namespace {

class LarsRule final : public OptimizerRule {
 public:
  explicit LarsRule(const optimizers::LARSOptions& options) : options_(options) {}
  std::string class_name() const override { return "LARS"; }
  Config config() const override {
    return Config::object({{"momentum", options_.momentum},
                           {"trust_coefficient", options_.trust_coefficient},
                           {"beta", options_.beta},
                           {"epsilon", options_.epsilon}});
  }
  UpdateScope scope() const override { return UpdateScope::norms; }
  std::vector<SlotSpec> slots() const override { return {{"momentum"}}; }

  std::vector<Tensor> update(const UpdateInputs& in) const override {
    const Tensor divisor = in.direction_norm + in.variable_norm * options_.beta + options_.epsilon;
    const Tensor rate = in.learning_rate * rate_factor(in, divisor);
    const Tensor velocity = in.slots[0] * options_.momentum + rate * (in.gradient + in.variable * options_.beta);
    return {in.variable - velocity, velocity};
  }

 private:
  Tensor rate_factor(const UpdateInputs& in, const Tensor& divisor) const {
    return trust_ratio(in, divisor / options_.trust_coefficient);
  }

  optimizers::LARSOptions options_;
};

}  // namespace

Optimizer optimizers::LARS(const LARSOptions& options, const OptimizerOptions& common) {
  require_fraction("momentum", options.momentum);
  require_not_negative("beta", options.beta);
  require_not_negative("epsilon", options.epsilon);
  if (!(options.trust_coefficient > 0.0)) {
    throw ConfigError("`trust_coefficient` must be positive. Received: trust_coefficient=" +
                      Config(options.trust_coefficient).to_json());
  }
  return {std::make_shared<LarsRule>(options), options.learning_rate, common};
}

void register_lars(OptimizerTable& table) {
  add_optimizer(table, "LARS", {"momentum", "trust_coefficient", "beta", "epsilon"}, [](const RuleArguments& a) {
    const optimizers::LARSOptions o;
    return optimizers::LARS(
        {learning_rate(a, o.learning_rate), a.number("momentum", o.momentum),
         a.number("trust_coefficient", o.trust_coefficient), a.number("beta", o.beta), a.number("epsilon", o.epsilon)},
        optimizer_options(a));
  });
}

}  // namespace strata
