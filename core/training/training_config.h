// SPDX-License-Identifier: Apache-2.0
// Internal: what a model was compiled with, as Keras writes it into model files.
#pragma once

#include <string>
#include <vector>

#include "core/training/model.h"

namespace strata {

/// {"loss", "loss_weights", "metrics", "weighted_metrics", "optimizer_config", ...}.
Config training_config(const Objective& objective, const Optimizer& optimizer);

/// Reads that of tf.keras 2 and of Keras 3; `outputs` are the names of the model's outputs. Throws ConfigError for
/// unknown classes and for what does not fit the outputs.
CompileOptions compile_options(const Config& config, const std::vector<std::string>& outputs);

}  // namespace strata
