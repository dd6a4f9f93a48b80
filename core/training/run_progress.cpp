// SPDX-License-Identifier: Apache-2.0
#include "core/training/run_progress.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <optional>

#include "core/base/error.h"

namespace strata {
namespace {

Config list_of(const std::vector<double>& values) {
  Config::List list;
  for (const double value : values) list.emplace_back(value);
  return list;
}

std::vector<double> doubles_of(const Config& list) {
  std::vector<double> values;
  for (const Config& value : list.as_list()) values.push_back(value.as_double());
  return values;
}

Config history_config(const History& history) {
  Config::List epochs, logs;
  for (const int epoch : history.epoch) epochs.emplace_back(epoch);
  for (const auto& [name, values] : history.history) logs.push_back(Config::List{name, list_of(values)});
  return Config::object({{"epochs", epochs},
                         {"logs", logs},
                         {"steps", history.steps},
                         {"timed_steps", history.timed_steps},
                         {"training_seconds", history.training_seconds},
                         {"data_seconds", history.data_seconds}});
}

History history_of(const Config& config) {
  History history;
  for (const Config& epoch : config.at("epochs").as_list()) history.epoch.push_back(static_cast<int>(epoch.as_int()));
  for (const Config& log : config.at("logs").as_list()) {
    history.history.emplace_back(log.as_list().at(0).as_string(), doubles_of(log.as_list().at(1)));
  }
  history.steps = config.at("steps").as_int();
  history.timed_steps = config.at("timed_steps").as_int();
  history.training_seconds = config.at("training_seconds").as_double();
  history.data_seconds = config.at("data_seconds").as_double();
  return history;
}

const char* const kNotFinite = "not_finite";

/// The same with every value that `change` gives another for in that one's place.
template <class F>
Config changed(const Config& config, const F& change) {
  if (std::optional<Config> other = change(config)) return *other;
  if (config.is_list()) {
    Config::List list;
    for (const Config& value : config.as_list()) list.push_back(changed(value, change));
    return list;
  }
  if (!config.is_object()) return config;
  Config object = Config::object();
  for (const auto& [name, value] : config.as_object()) object.set(name, changed(value, change));
  return object;
}

/// JSON has no numbers that are not finite, which losses can be: {"not_finite": "NaN"}.
Config with_words(const Config& config) {
  return changed(config, [](const Config& value) -> std::optional<Config> {
    if (!value.is_double() || std::isfinite(value.as_double())) return {};
    return Config::object({{kNotFinite, value.to_json()}});
  });
}

Config without_words(const Config& config) {
  return changed(config, [](const Config& value) -> std::optional<Config> {
    if (!value.is_object() || !value.contains(kNotFinite)) return {};
    const std::string& word = value.at(kNotFinite).as_string();
    constexpr double kInfinity = std::numeric_limits<double>::infinity();
    if (word == "NaN") return Config(std::numeric_limits<double>::quiet_NaN());
    return Config(word == "-Infinity" ? -kInfinity : kInfinity);
  });
}

/// Where two trees differ first, and what they have there.
struct Difference {
  std::string place;
  Config saved, now;
};

std::optional<Difference> difference(const std::string& place, const Config& saved, const Config& now) {
  if (saved == now) return {};
  if (saved.is_object() && now.is_object()) {
    const auto within = [&](const std::string& name) { return place.empty() ? name : place + "." + name; };
    for (const auto& [name, value] : now.as_object()) {
      if (auto found = difference(within(name), saved.get(name), value)) return found;
    }
    for (const auto& [name, value] : saved.as_object()) {
      if (auto found = difference(within(name), value, now.get(name))) return found;
    }
    return {};  // in another order
  }
  if (saved.is_list() && now.is_list() && saved.as_list().size() == now.as_list().size()) {
    for (std::size_t i = 0; i < now.as_list().size(); ++i) {
      const std::string within = place + "[" + std::to_string(i) + "]";
      if (auto found = difference(within, saved.as_list()[i], now.as_list()[i])) return found;
    }
    return {};
  }
  if (saved.is_double() && now.is_double() && std::isnan(saved.as_double()) && std::isnan(now.as_double())) return {};
  return Difference{place, saved, now};
}

}  // namespace

Config progress_config(const RunProgress& run) {
  Config::List callbacks;
  for (const CallbackState& state : run.callbacks) {
    callbacks.push_back(
        Config::object({{"callback", state.callback}, {"values", state.values}, {"tensors", state.tensors.size()}}));
  }
  return with_words(Config::object({{"plan", run.plan},
                                    {"epoch", run.epoch},
                                    {"step", run.step},
                                    {"stopped", run.stopped},
                                    {"learning_rate", run.learning_rate},
                                    {"totals", list_of(run.totals)},
                                    {"samples", run.samples},
                                    {"left_out", run.left_out},
                                    {"history", history_config(run.history)},
                                    {"callbacks", callbacks}}));
}

RunProgress progress_of(const Config& saved, const std::vector<Tensor>& tensors) {
  const Config config = without_words(saved);
  RunProgress run{.plan = config.at("plan"),
                  .epoch = static_cast<int>(config.at("epoch").as_int()),
                  .step = config.at("step").as_int(),
                  .stopped = config.at("stopped").as_bool(),
                  .learning_rate = config.at("learning_rate").as_double(),
                  .totals = doubles_of(config.at("totals")),
                  .samples = config.at("samples").as_int(),
                  .left_out = config.at("left_out").as_int(),
                  .history = history_of(config.at("history"))};
  std::size_t next = 0;
  for (const Config& state : config.at("callbacks").as_list()) {
    CallbackState made{state.at("callback").as_string(), state.at("values"), {}};
    for (std::int64_t i = 0; i < state.at("tensors").as_int(); ++i) made.tensors.push_back(tensors.at(next++));
    run.callbacks.push_back(std::move(made));
  }
  return run;
}

std::vector<CallbackState> states_of(const std::vector<CallbackRef>& callbacks) {
  std::vector<CallbackState> states;
  for (const CallbackRef& callback : callbacks) {
    CallbackState state = callback->state();
    if (!state.callback.empty()) states.push_back(std::move(state));
  }
  return states;
}

void restore_states(const std::vector<CallbackRef>& callbacks, std::vector<CallbackState> states) {
  for (const CallbackRef& callback : callbacks) {
    const std::string name = callback->state().callback;
    const auto found = std::find_if(states.begin(), states.end(), [&](const auto& s) { return s.callback == name; });
    if (found == states.end()) continue;
    callback->restore_state(*found);
    states.erase(found);
  }
}

void require_same(const std::string& path, const std::string& name, const Config& saved, const Config& now) {
  const auto found = difference(name, without_words(saved), now);
  if (!found) return;
  throw ConfigError(path + ": the run that made this checkpoint had " + found->place + " = " + found->saved.to_json() +
                    ", this one has " + found->now.to_json() +
                    ". Continue it with the same model, data and arguments, or use another directory.");
}

}  // namespace strata
