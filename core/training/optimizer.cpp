// SPDX-License-Identifier: Apache-2.0
#include "core/training/optimizer.h"

#include <algorithm>
#include <cmath>
#include <regex>

#include "core/base/error.h"
#include "core/model/session.h"
#include "core/training/eager_update.h"
#include "core/training/optimizers/table.h"

namespace strata {
namespace {

template <class T>
Config optional_config(const std::optional<T>& value) {
  return value ? Config(*value) : Config();
}

void require_one_clip(const OptimizerOptions& o) {
  const int given = static_cast<int>(o.clipnorm.has_value()) + static_cast<int>(o.clipvalue.has_value()) +
                    static_cast<int>(o.global_clipnorm.has_value());
  if (given < 2) return;
  const auto text = [](const std::optional<double>& value) { return value ? Config(*value).to_json() : "None"; };
  throw ConfigError(
      "Only one of `clipnorm`, `clipvalue` and `global_clipnorm` can be set. Received: clipnorm=" + text(o.clipnorm) +
      ", clipvalue=" + text(o.clipvalue) + ", global_clipnorm=" + text(o.global_clipnorm));
}

void check(const OptimizerOptions& o) {
  if (o.gradient_accumulation_steps && *o.gradient_accumulation_steps < 2) {
    throw ConfigError("`gradient_accumulation_steps` must be an integer >= 2. Received: gradient_accumulation_steps=" +
                      std::to_string(*o.gradient_accumulation_steps));
  }
  if (o.use_ema && !(o.ema_momentum >= 0.0 && o.ema_momentum <= 1.0)) {
    throw ConfigError("`ema_momentum` must be in the range [0, 1]. Received: ema_momentum=" +
                      Config(o.ema_momentum).to_json());
  }
  if (o.use_ema && o.ema_overwrite_frequency && *o.ema_overwrite_frequency < 1) {
    throw ConfigError("`ema_overwrite_frequency` must be an integer >= 1 or None. Received: ema_overwrite_frequency=" +
                      std::to_string(*o.ema_overwrite_frequency));
  }
  require_one_clip(o);
  for (const auto& [argument, value] : {std::pair{"weight_decay", o.weight_decay},
                                        {"clipnorm", o.clipnorm},
                                        {"clipvalue", o.clipvalue},
                                        {"global_clipnorm", o.global_clipnorm}}) {
    if (value) require_not_negative(argument, *value);
  }
  if (o.loss_scale_factor && !(*o.loss_scale_factor > 0.0 && std::isfinite(*o.loss_scale_factor))) {
    throw ConfigError("`loss_scale_factor` must be finite and positive. Received: loss_scale_factor=" +
                      Config(*o.loss_scale_factor).to_json());
  }
}

}  // namespace

std::vector<Tensor> OptimizerRule::direction(const UpdateInputs& inputs) const {
  std::vector<Tensor> results{inputs.gradient};
  results.insert(results.end(), inputs.slots.begin(), inputs.slots.end());
  return results;
}

Optimizer::Optimizer(std::shared_ptr<const OptimizerRule> rule, LearningRate learning_rate, OptimizerOptions options)
    : state_(std::make_shared<State>(State{std::move(rule), std::move(learning_rate), std::move(options), {}})),
      eager_(std::make_shared<std::unique_ptr<EagerUpdate>>()) {
  check(state_->options);
  // Keras takes 0 for none.
  for (auto* clip : {&state_->options.clipnorm, &state_->options.clipvalue, &state_->options.global_clipnorm}) {
    if (*clip == 0.0) clip->reset();
  }
  if (state_->options.name.empty()) state_->options.name = to_snake_case(state_->rule->class_name());
}

Optimizer Optimizer::with_loss_scaling(LossScaleOptions options) const {
  Optimizer scaled = *this;
  scaled.eager_ = std::make_shared<std::unique_ptr<EagerUpdate>>();
  scaled.state_->options.loss_scale_factor.reset();
  if (options.name.empty()) options.name = "loss_scale_optimizer";
  scaled.loss_scaling_ = std::make_shared<const LossScaleOptions>(std::move(options));
  return scaled;
}

void Optimizer::set_learning_rate(double learning_rate) {
  if (state_->learning_rate.is_schedule()) {
    throw ConfigError(
        "This optimizer was created with a `LearningRateSchedule` object as its `learning_rate` constructor argument, "
        "hence its learning rate is not settable. If you need the learning rate to be settable, you should instantiate "
        "the optimizer with a float `learning_rate` argument.");
  }
  state_->learning_rate = learning_rate;
}

void Optimizer::exclude_from_weight_decay(const std::vector<std::string>& var_names) {
  if (state_->steps > 0) {
    throw ConfigError("`exclude_from_weight_decay()` can only be configured before the optimizer is built.");
  }
  state_->not_decayed = var_names;
}

std::optional<double> Optimizer::weight_decay_of(const Variable& variable) const {
  const auto& excluded = state_->not_decayed;
  const bool found = std::any_of(excluded.begin(), excluded.end(), [&](const std::string& pattern) {
    return std::regex_search(variable.path(), std::regex(pattern));
  });
  if (found) return {};
  return state_->rule->weight_decay(state_->options.weight_decay, variable);
}

std::int64_t Optimizer::iterations() const { return state_->steps / options().gradient_accumulation_steps.value_or(1); }

std::vector<SlotSpec> Optimizer::slots() const {
  std::vector<SlotSpec> all;
  if (options().use_ema) all.push_back({.name = "average", .group = -2});
  if (options().gradient_accumulation_steps) all.push_back({.name = "gradient_accumulator", .group = -1});
  for (SlotSpec& slot : state_->rule->slots()) all.push_back(std::move(slot));
  return all;
}

std::size_t Optimizer::first_rule_slot() const {
  return static_cast<std::size_t>(options().use_ema) +
         static_cast<std::size_t>(options().gradient_accumulation_steps.has_value());
}

Config Optimizer::get_config() const {
  if (loss_scaling_) {
    Optimizer inner = *this;
    inner.loss_scaling_.reset();
    return Config::object({{"name", loss_scaling_->name},
                           {"inner_optimizer", inner.config()},
                           {"initial_scale", loss_scaling_->initial_scale},
                           {"dynamic_growth_steps", loss_scaling_->dynamic_growth_steps}});
  }
  const OptimizerOptions& o = options();
  Config all = Config::object({{"name", o.name},
                               {"learning_rate", state_->learning_rate.config()},
                               {"weight_decay", optional_config(o.weight_decay)},
                               {"clipnorm", optional_config(o.clipnorm)},
                               {"global_clipnorm", optional_config(o.global_clipnorm)},
                               {"clipvalue", optional_config(o.clipvalue)},
                               {"use_ema", o.use_ema},
                               {"ema_momentum", o.ema_momentum},
                               {"ema_overwrite_frequency", optional_config(o.ema_overwrite_frequency)},
                               {"loss_scale_factor", optional_config(o.loss_scale_factor)},
                               {"gradient_accumulation_steps", optional_config(o.gradient_accumulation_steps)}});
  const Config own = state_->rule->config();
  for (const auto& [key, value] : own.as_object()) all.set(key, value);
  return all;
}

Config Optimizer::config() const {
  return Config::object({{"module", "keras.optimizers"},
                         {"class_name", loss_scaling_ ? "LossScaleOptimizer" : state_->rule->class_name()},
                         {"config", get_config()},
                         {"registered_name", nullptr}});
}

std::string Optimizer::describe() const {
  std::string text = state_->rule->class_name() + " " + get_config().to_json() + " at step " +
                     std::to_string(state_->steps) + ", not decayed:";
  for (const std::string& pattern : state_->not_decayed) text += " " + pattern;
  return text;
}

}  // namespace strata
