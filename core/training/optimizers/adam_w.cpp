// SPDX-License-Identifier: Apache-2.0
// Adam with decoupled weight decay (Loshchilov and Hutter 2019), which all optimizers here have: only the default
// differs.
#include "core/training/optimizers/adam_rule.h"

namespace strata {

Optimizer optimizers::AdamW(const AdamOptions& options, const OptimizerOptions& common) {
  OptimizerOptions decayed = common;
  decayed.weight_decay = common.weight_decay.value_or(0.004);
  return make_adam("AdamW", options, decayed);
}

void register_adam_w(OptimizerTable& table) {
  add_optimizer(table, "AdamW", adam_arguments(), [](const RuleArguments& a) {
    if (a.is_none("weight_decay")) {
      throw ConfigError("Argument `weight_decay` must be a float. Received: weight_decay=None");
    }
    return optimizers::AdamW(read_adam(a), optimizer_options(a));
  });
}

}  // namespace strata
