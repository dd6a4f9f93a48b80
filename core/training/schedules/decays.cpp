// SPDX-License-Identifier: Apache-2.0
// Schedules that decay by a power of the step, or by a table.
#include <algorithm>
#include <cmath>

#include "core/training/schedules/schedule.h"

namespace strata {
namespace {

/// t / decay_steps.
double progress(std::int64_t step, std::int64_t decay_steps, bool staircase) {
  const double p = static_cast<double>(step) / static_cast<double>(decay_steps);
  return staircase ? std::floor(p) : p;
}

template <class Options>
Config decay_config(const Options& o) {
  return Config::object({{"initial_learning_rate", o.initial_learning_rate},
                         {"decay_steps", o.decay_steps},
                         {"decay_rate", o.decay_rate},
                         {"staircase", o.staircase},
                         {"name", o.name}});
}

double polynomial_decay(const schedules::PolynomialDecayOptions& o, std::int64_t step) {
  auto steps = static_cast<double>(o.decay_steps);
  auto t = static_cast<double>(step);
  if (!o.cycle) t = std::min(t, steps);
  else if (step > 0) steps *= std::ceil(t / steps);
  return (o.initial_learning_rate - o.end_learning_rate) * std::pow(1.0 - t / steps, o.power) + o.end_learning_rate;
}

/// The options of ExponentialDecay and InverseTimeDecay.
template <class Options>
Options read_decay(const RuleArguments& a) {
  Options o;
  return {a.number("initial_learning_rate", o.initial_learning_rate), a.integer("decay_steps", o.decay_steps),
          a.number("decay_rate", o.decay_rate), a.flag("staircase", o.staircase), a.text("name", o.name.c_str())};
}

LearningRate read_polynomial(const RuleArguments& a) {
  const schedules::PolynomialDecayOptions o;
  return schedules::PolynomialDecay({a.number("initial_learning_rate", o.initial_learning_rate),
                                     a.integer("decay_steps", o.decay_steps),
                                     a.number("end_learning_rate", o.end_learning_rate), a.number("power", o.power),
                                     a.flag("cycle", o.cycle), a.text("name", o.name.c_str())});
}

LearningRate read_piecewise(const RuleArguments& a) {
  std::vector<std::int64_t> boundaries;
  for (const double boundary : a.numbers("boundaries")) boundaries.push_back(static_cast<std::int64_t>(boundary));
  return schedules::PiecewiseConstantDecay({std::move(boundaries), a.numbers("values"),
                                            a.text("name", schedules::PiecewiseConstantDecayOptions{}.name.c_str())});
}

template <class T>
Config list_config(const std::vector<T>& values) {
  return Config::List(values.begin(), values.end());
}

}  // namespace

namespace schedules {

LearningRate ExponentialDecay(const ExponentialDecayOptions& o) {
  require_positive_steps("decay_steps", o.decay_steps);
  return make_schedule("ExponentialDecay", decay_config(o), [o](std::int64_t step) {
    return o.initial_learning_rate * std::pow(o.decay_rate, progress(step, o.decay_steps, o.staircase));
  });
}

LearningRate InverseTimeDecay(const InverseTimeDecayOptions& o) {
  require_positive_steps("decay_steps", o.decay_steps);
  return make_schedule("InverseTimeDecay", decay_config(o), [o](std::int64_t step) {
    return o.initial_learning_rate / (1.0 + o.decay_rate * progress(step, o.decay_steps, o.staircase));
  });
}

LearningRate PolynomialDecay(const PolynomialDecayOptions& o) {
  require_positive_steps("decay_steps", o.decay_steps);
  Config config = Config::object({{"initial_learning_rate", o.initial_learning_rate},
                                  {"decay_steps", o.decay_steps},
                                  {"end_learning_rate", o.end_learning_rate},
                                  {"power", o.power},
                                  {"cycle", o.cycle},
                                  {"name", o.name}});
  return make_schedule("PolynomialDecay", std::move(config),
                       [o](std::int64_t step) { return polynomial_decay(o, step); });
}

LearningRate PiecewiseConstantDecay(const PiecewiseConstantDecayOptions& o) {
  const Config boundaries = list_config(o.boundaries), values = list_config(o.values);
  if (o.boundaries.size() + 1 != o.values.size()) {
    throw ConfigError("The length of boundaries should be 1 less than the length of values. Received: boundaries=" +
                      boundaries.to_json() + " of length " + std::to_string(o.boundaries.size()) +
                      ", and values=" + values.to_json() + " of length " + std::to_string(o.values.size()) + ".");
  }
  return make_schedule("PiecewiseConstantDecay",
                       Config::object({{"boundaries", boundaries}, {"values", values}, {"name", o.name}}),
                       [o](std::int64_t step) {
                         const auto next = std::lower_bound(o.boundaries.begin(), o.boundaries.end(), step);
                         return o.values[static_cast<std::size_t>(next - o.boundaries.begin())];
                       });
}

}  // namespace schedules

void register_decays(ScheduleTable& table) {
  const std::vector<std::string> decay{"initial_learning_rate", "decay_steps", "decay_rate", "staircase", "name"};
  table["ExponentialDecay"] = {{}, decay, [](const RuleArguments& a) {
                                 return schedules::ExponentialDecay(read_decay<schedules::ExponentialDecayOptions>(a));
                               }};
  table["InverseTimeDecay"] = {{}, decay, [](const RuleArguments& a) {
                                 return schedules::InverseTimeDecay(read_decay<schedules::InverseTimeDecayOptions>(a));
                               }};
  table["PolynomialDecay"] = {
      {}, {"initial_learning_rate", "decay_steps", "end_learning_rate", "power", "cycle", "name"}, read_polynomial};
  table["PiecewiseConstantDecay"] = {{}, {"boundaries", "values", "name"}, read_piecewise};
}

}  // namespace strata
