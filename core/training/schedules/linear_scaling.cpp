// SPDX-License-Identifier: Apache-2.0
#include <cmath>

#include "core/model/session.h"
#include "core/training/schedules/schedule.h"

namespace strata {
namespace {

/// What the rate is multiplied by.
double factor(const schedules::LinearScalingOptions& o, std::int64_t step) {
  if (step >= o.warmup_steps) return o.scale;
  return 1.0 + (o.scale - 1.0) * static_cast<double>(step) / static_cast<double>(o.warmup_steps);
}

}  // namespace

LearningRate schedules::LinearScaling(const LinearScalingOptions& options) {
  LinearScalingOptions o = options;
  if (!std::isfinite(o.scale) || o.scale < 0.0) {
    throw ConfigError("Argument `scale` must be finite and not negative. Received: scale=" + Config(o.scale).to_json());
  }
  if (o.warmup_steps < 0) {
    throw ConfigError("Argument `warmup_steps` must not be negative. Received: warmup_steps=" +
                      std::to_string(o.warmup_steps));
  }
  if (o.scale == 0.0) o.scale = Session::current().communicator().size();
  Config config = Config::object(
      {{"learning_rate", o.learning_rate.config()}, {"scale", o.scale}, {"warmup_steps", o.warmup_steps}});
  return make_schedule("LinearScaling", std::move(config),
                       [o](std::int64_t step) { return o.learning_rate.at(step) * factor(o, step); });
}

void register_linear_scaling(ScheduleTable& table) {
  table["LinearScaling"] = {{}, {"learning_rate", "scale", "warmup_steps"}, [](const RuleArguments& a) {
                              schedules::LinearScalingOptions o;
                              if (a.has("learning_rate"))
                                o.learning_rate = LearningRate::from_config(a.at("learning_rate"));
                              o.scale = a.number("scale", o.scale);
                              o.warmup_steps = a.integer("warmup_steps", o.warmup_steps);
                              return schedules::LinearScaling(o);
                            }};
}

}  // namespace strata
