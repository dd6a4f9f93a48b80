// SPDX-License-Identifier: Apache-2.0
#include "core/training/optimizer.h"

#include <algorithm>
#include <cctype>
#include <cmath>

#include "core/base/error.h"
#include "core/training/optimizer_options.h"

namespace strata {
namespace {

/// By class name, in any case, as Keras reads it.
Optimizer find_optimizer(const std::string& name) {
  std::string lower = name;
  std::transform(lower.begin(), lower.end(), lower.begin(), [](unsigned char c) { return std::tolower(c); });
  if (lower == "sgd") return optimizers::SGD();
  if (lower == "rmsprop") return optimizers::RMSprop();
  if (lower == "adam") return optimizers::Adam();
  throw ConfigError("Unknown optimizer: " + name + ". Expected one of: sgd, rmsprop, adam.");
}

}  // namespace

void require_fraction(const char* argument, double value) {
  if (value >= 0.0 && value <= 1.0) return;
  throw ConfigError("`" + std::string(argument) + "` must be between [0, 1]. Received: " + argument + "=" +
                    Config(value).to_json());
}

void require_not_negative(const char* argument, double value) {
  if (std::isfinite(value) && value >= 0.0) return;
  throw ConfigError("`" + std::string(argument) + "` must be finite and not negative. Received: " + argument + "=" +
                    Config(value).to_json());
}

Optimizer::Optimizer(std::shared_ptr<const OptimizerRule> rule, double learning_rate)
    : state_(std::make_shared<State>(State{std::move(rule), learning_rate})) {
  set_learning_rate(learning_rate);
}

Optimizer::Optimizer(const std::string& name) : Optimizer(find_optimizer(name)) {}

void Optimizer::set_learning_rate(double learning_rate) {
  require_not_negative("learning_rate", learning_rate);
  state_->learning_rate = learning_rate;
}

}  // namespace strata
