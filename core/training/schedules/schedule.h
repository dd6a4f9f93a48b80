// SPDX-License-Identifier: Apache-2.0
// Internal to schedules: a schedule made of a formula, and the table of schedules by Keras name.
#pragma once

#include <functional>

#include "core/model/named_rules.h"
#include "core/training/learning_rate.h"

namespace strata {

/// The schedules of Keras. Each file of this folder adds its own: CMake collects register_<stem>(ScheduleTable&).
using ScheduleTable = std::map<std::string, RuleTable<LearningRate>::Entry>;

/// A schedule from its parts.
LearningRate make_schedule(std::string class_name, Config config, std::function<double(std::int64_t step)> rate);

/// Throws ConfigError with Keras' text, "Argument `decay_steps` must be > 0. Received: decay_steps=0".
void require_positive_steps(const char* argument, std::int64_t steps);

}  // namespace strata
