// SPDX-License-Identifier: Apache-2.0
// Internal to optimizers: what Adam's descendants share.
#pragma once

#include "core/ops/ops.h"
#include "core/training/optimizers/table.h"

namespace strata {

/// decay^(iteration + 1), a scalar of `like`'s dtype.
inline Tensor decay_power(double decay, const Tensor& iteration, const Tensor& like) {
  const Tensor step = ops::cast(iteration + 1.0, like.dtype());
  return ops::power(scalar(decay, like.dtype()), step);
}

/// The moving average after one more value: average + (value - average) (1 - decay).
inline Tensor moved(const Tensor& average, const Tensor& value, double decay) {
  return average + (value - average) * (1.0 - decay);
}

/// The rate corrected for averages that began at zero: a scalar.
inline Tensor corrected_rate(const UpdateInputs& in, double beta_1, double beta_2) {
  return in.learning_rate * ops::sqrt(1.0 - decay_power(beta_2, in.iteration, in.learning_rate)) /
         (1.0 - decay_power(beta_1, in.iteration, in.learning_rate));
}

/// Adam, or an optimizer that differs from it in its name and defaults.
Optimizer make_adam(const std::string& class_name, const optimizers::AdamOptions& options,
                    const OptimizerOptions& common);
optimizers::AdamOptions read_adam(const RuleArguments& arguments);
/// The names of Adam's arguments.
std::vector<std::string> adam_arguments();

/// Throws ConfigError unless both betas are in [0, 1) and epsilon is not negative.
void check_adam_like(double beta_1, double beta_2, double epsilon);
optimizers::AdamLikeOptions read_adam_like(const RuleArguments& arguments);
Config adam_like_config(const optimizers::AdamLikeOptions& options);
/// Adds an optimizer whose options are AdamLikeOptions.
void add_adam_like(OptimizerTable& table, const std::string& class_name,
                   Optimizer (*make)(const optimizers::AdamLikeOptions&, const OptimizerOptions&));

}  // namespace strata
