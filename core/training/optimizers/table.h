// SPDX-License-Identifier: Apache-2.0
// Internal to optimizers: the table of optimizers by Keras name, and checks of their arguments.
#pragma once

#include "core/model/named_rules.h"
#include "core/training/optimizer.h"

namespace strata {

/// The optimizers of Keras. Each file of this folder adds its own: CMake collects register_<stem>(OptimizerTable&).
using OptimizerTable = std::map<std::string, RuleTable<Optimizer>::Entry>;

/// Adds an optimizer under its class name and that in small letters; the arguments that all have are known.
void add_optimizer(OptimizerTable& table, const std::string& class_name, std::vector<std::string> arguments,
                   std::function<Optimizer(const RuleArguments&)> make);

/// Whether the table has this class, and not the program alone.
bool is_keras_optimizer(const std::string& class_name);

/// What all optimizers take.
OptimizerOptions optimizer_options(const RuleArguments& arguments);
LearningRate learning_rate(const RuleArguments& arguments, const LearningRate& otherwise);

/// Throws ConfigError "`rho` must be between [0, 1]. ..." unless the value is.
void require_fraction(const char* argument, double value);
/// Throws ConfigError unless the value is in [0, 1): a decay of 1 would divide by zero.
void require_decay(const char* argument, double value);
/// Throws ConfigError unless the value is finite and not negative.
void require_not_negative(const char* argument, double value);

}  // namespace strata
