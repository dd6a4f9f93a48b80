// SPDX-License-Identifier: Apache-2.0
// Schedules along a half-wave of the cosine.
#include <algorithm>
#include <cmath>
#include <numbers>

#include "core/training/schedules/schedule.h"

namespace strata {
namespace {

/// From 1 to 0 as p goes from 0 to 1.
double half_wave(double p) { return 0.5 * (1.0 + std::cos(std::numbers::pi * p)); }

double cosine_decay(const schedules::CosineDecayOptions& o, std::int64_t step) {
  const double from = o.warmup_target.value_or(o.initial_learning_rate);
  const std::int64_t warmup = o.warmup_target ? o.warmup_steps : 0;
  if (step < warmup) {
    const double share = static_cast<double>(step) / static_cast<double>(warmup);
    return (from - o.initial_learning_rate) * share + o.initial_learning_rate;
  }
  const double p = static_cast<double>(std::min(step - warmup, o.decay_steps)) / static_cast<double>(o.decay_steps);
  return from * ((1.0 - o.alpha) * half_wave(p) + o.alpha);
}

double cosine_restarts(const schedules::CosineDecayRestartsOptions& o, std::int64_t step) {
  double p = static_cast<double>(step) / static_cast<double>(o.first_decay_steps);
  double restarts = std::floor(p);
  if (o.t_mul == 1.0) {
    p -= restarts;
  } else {  // the runs are a geometric series
    restarts = std::floor(std::log(1.0 - p * (1.0 - o.t_mul)) / std::log(o.t_mul));
    const double length = std::pow(o.t_mul, restarts);
    p = (p - (1.0 - length) / (1.0 - o.t_mul)) / length;
  }
  const double wave = std::pow(o.m_mul, restarts) * half_wave(p);
  return o.initial_learning_rate * ((1.0 - o.alpha) * wave + o.alpha);
}

LearningRate read_cosine(const RuleArguments& a) {
  schedules::CosineDecayOptions o;
  if (a.has("warmup_target")) o.warmup_target = a.number("warmup_target", 0.0);
  return schedules::CosineDecay({a.number("initial_learning_rate", o.initial_learning_rate),
                                 a.integer("decay_steps", o.decay_steps), a.number("alpha", o.alpha),
                                 a.text("name", o.name.c_str()), o.warmup_target,
                                 a.integer("warmup_steps", o.warmup_steps)});
}

LearningRate read_restarts(const RuleArguments& a) {
  const schedules::CosineDecayRestartsOptions o;
  return schedules::CosineDecayRestarts({a.number("initial_learning_rate", o.initial_learning_rate),
                                         a.integer("first_decay_steps", o.first_decay_steps),
                                         a.number("t_mul", o.t_mul), a.number("m_mul", o.m_mul),
                                         a.number("alpha", o.alpha), a.text("name", o.name.c_str())});
}

}  // namespace

namespace schedules {

LearningRate CosineDecay(const CosineDecayOptions& o) {
  require_positive_steps("decay_steps", o.decay_steps);
  Config config = Config::object({{"initial_learning_rate", o.initial_learning_rate},
                                  {"decay_steps", o.decay_steps},
                                  {"alpha", o.alpha},
                                  {"name", o.name},
                                  {"warmup_target", o.warmup_target ? Config(*o.warmup_target) : Config()},
                                  {"warmup_steps", o.warmup_steps}});
  return make_schedule("CosineDecay", std::move(config), [o](std::int64_t step) { return cosine_decay(o, step); });
}

LearningRate CosineDecayRestarts(const CosineDecayRestartsOptions& o) {
  require_positive_steps("first_decay_steps", o.first_decay_steps);
  Config config = Config::object({{"initial_learning_rate", o.initial_learning_rate},
                                  {"first_decay_steps", o.first_decay_steps},
                                  {"t_mul", o.t_mul},
                                  {"m_mul", o.m_mul},
                                  {"alpha", o.alpha},
                                  {"name", o.name}});
  return make_schedule("CosineDecayRestarts", std::move(config),
                       [o](std::int64_t step) { return cosine_restarts(o, step); });
}

}  // namespace schedules

void register_cosine(ScheduleTable& table) {
  table["CosineDecay"] = {
      {}, {"initial_learning_rate", "decay_steps", "alpha", "name", "warmup_target", "warmup_steps"}, read_cosine};
  table["CosineDecayRestarts"] = {
      {}, {"initial_learning_rate", "first_decay_steps", "t_mul", "m_mul", "alpha", "name"}, read_restarts};
}

}  // namespace strata
