// SPDX-License-Identifier: Apache-2.0
#include <cmath>

#include "core/training/optimizers/table.h"

namespace strata {
namespace {

Optimizer from_arguments(const RuleArguments& a) {
  if (!a.flag("dynamic", true)) {
    throw ConfigError(
        "LossScaleOptimizer no longer supports `dynamic=False`. Instead, simply set `loss_scale_factor` directly on "
        "the "
        "`inner_optimizer`.");
  }
  if (!a.has("inner_optimizer")) {
    throw ConfigError("LossScaleOptimizer: expected an `inner_optimizer`, received none");
  }
  const LossScaleOptions o;
  return optimizers::LossScaleOptimizer(
      Optimizer::from_config(a.at("inner_optimizer")),
      {a.number("initial_scale", o.initial_scale), a.integer("dynamic_growth_steps", o.dynamic_growth_steps),
       a.text("name", "")});
}

}  // namespace

Optimizer optimizers::LossScaleOptimizer(const Optimizer& inner, const LossScaleOptions& options) {
  if (!inner) throw ConfigError("LossScaleOptimizer: expected an inner optimizer, received none");
  if (inner.loss_scaling() != nullptr) {
    throw ConfigError("LossScaleOptimizer: expected another optimizer as the inner one, received a LossScaleOptimizer");
  }
  if (!(std::isfinite(options.initial_scale) && options.initial_scale > 0.0)) {
    throw ConfigError("`initial_scale` must be finite and positive. Received: initial_scale=" +
                      Config(options.initial_scale).to_json());
  }
  if (options.dynamic_growth_steps < 1) {
    throw ConfigError("`dynamic_growth_steps` must be at least 1. Received: dynamic_growth_steps=" +
                      std::to_string(options.dynamic_growth_steps));
  }
  return inner.with_loss_scaling(options);
}

void register_loss_scale_optimizer(OptimizerTable& table) {
  table["LossScaleOptimizer"] = {{"lossscaleoptimizer", "lossscaleoptimizerv3"},  // the second: tf.keras
                                 {"inner_optimizer", "initial_scale", "dynamic_growth_steps", "name", "dynamic"},
                                 from_arguments};
}

}  // namespace strata
