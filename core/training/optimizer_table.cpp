// SPDX-License-Identifier: Apache-2.0
// Optimizers by Keras name, and from what Keras serialises.
#include <algorithm>
#include <cctype>
#include <cmath>

#include "core/base/registered_name.h"
#include "core/model/register_class.h"
#include "core/training/optimizers/table.h"

namespace strata {

#define STRATA_OPTIMIZER(stem) void register_##stem(OptimizerTable&);
#include "core/training/optimizers/list.inc"
#undef STRATA_OPTIMIZER

namespace {

constexpr const char* kUnknown = "Could not interpret optimizer identifier: ";

std::string in_small_letters(std::string name) {
  std::transform(name.begin(), name.end(), name.begin(), [](unsigned char c) { return std::tolower(c); });
  return name;
}

const RuleTable<Optimizer>& table() {
  static const RuleTable<Optimizer> all("Optimizer", kUnknown, [] {
    OptimizerTable entries;
#define STRATA_OPTIMIZER(stem) register_##stem(entries);
#include "core/training/optimizers/list.inc"
#undef STRATA_OPTIMIZER
    return entries;
  }());
  return all;
}

std::optional<double> optional_number(const RuleArguments& a, const char* key) {
  if (!a.has(key)) return {};
  return a.number(key, 0.0);
}

std::optional<int> optional_count(const RuleArguments& a, const char* key) {
  if (!a.has(key)) return {};
  return static_cast<int>(a.integer(key, 0));
}

}  // namespace

void add_optimizer(OptimizerTable& table, const std::string& class_name, std::vector<std::string> arguments,
                   std::function<Optimizer(const RuleArguments&)> make) {
  arguments.insert(arguments.end(),
                   {"name", "learning_rate", "weight_decay", "clipnorm", "global_clipnorm", "clipvalue", "use_ema",
                    "ema_momentum", "ema_overwrite_frequency", "loss_scale_factor", "gradient_accumulation_steps",
                    // What tf.keras 2 writes beside these; Keras 3 ignores `decay` too.
                    "decay", "jit_compile", "is_legacy_optimizer"});
  table[class_name] = {{in_small_letters(class_name)}, std::move(arguments), std::move(make)};
}

OptimizerOptions optimizer_options(const RuleArguments& a) {
  OptimizerOptions o;
  o.name = a.text("name", "");
  o.weight_decay = optional_number(a, "weight_decay");
  o.clipnorm = optional_number(a, "clipnorm");
  o.global_clipnorm = optional_number(a, "global_clipnorm");
  o.clipvalue = optional_number(a, "clipvalue");
  o.use_ema = a.flag("use_ema", o.use_ema);
  o.ema_momentum = a.number("ema_momentum", o.ema_momentum);
  o.ema_overwrite_frequency = optional_count(a, "ema_overwrite_frequency");
  o.loss_scale_factor = optional_number(a, "loss_scale_factor");
  o.gradient_accumulation_steps = optional_count(a, "gradient_accumulation_steps");
  return o;
}

LearningRate learning_rate(const RuleArguments& a, const LearningRate& otherwise) {
  return a.has("learning_rate") ? LearningRate::from_config(a.at("learning_rate")) : otherwise;
}

void require_fraction(const char* argument, double value) {
  if (value >= 0.0 && value <= 1.0) return;
  throw ConfigError("`" + std::string(argument) + "` must be between [0, 1]. Received: " + argument + "=" +
                    Config(value).to_json());
}

void require_decay(const char* argument, double value) {
  require_fraction(argument, value);
  if (value == 1.0) throw ConfigError("`" + std::string(argument) + "` must be less than 1. Received: 1.0");
}

void require_not_negative(const char* argument, double value) {
  if (std::isfinite(value) && value >= 0.0) return;
  throw ConfigError("`" + std::string(argument) + "` must be finite and not negative. Received: " + argument + "=" +
                    Config(value).to_json());
}

Optimizer::Optimizer(const std::string& name)
    : Optimizer(from_config(Config::object({{"class_name", name}, {"config", Config::object()}}))) {}

Optimizer Optimizer::from_config(const Config& config) {
  if (config.is_string()) return Optimizer(config.as_string());
  const ConfiguredName wanted = ConfiguredName::of(config);
  if (auto made = make_custom_class<Optimizer>(wanted)) return *made;
  const std::string small = in_small_letters(without_package(wanted.name));
  if (table().knows(small)) return table().make(small, wanted.arguments);
  throw ConfigError(kUnknown + wanted.name + ". Expected one of: " + table().class_names() +
                    how_to_make_known(wanted.name));
}

bool is_keras_optimizer(const std::string& class_name) { return table().knows(class_name); }

void register_optimizer(const std::string& class_name, std::function<Optimizer(const Config& config)> from_config) {
  register_class("optimizer", class_name, table().knows(in_small_letters(class_name)), std::move(from_config));
}

}  // namespace strata
