// SPDX-License-Identifier: Apache-2.0
#include "layers/random_layer.h"

#include "core/base/error.h"
#include "layers/seeded_key.h"

namespace strata {

RandomLayer::RandomLayer(std::string argument, double value, std::optional<std::int64_t> seed,
                         const LayerOptions& options)
    : Layer(options), argument_(std::move(argument)), value_(value), seed_(seed) {
  if (!(value >= 0.0 && value <= 1.0)) {
    throw ConfigError("Invalid value received for argument `" + argument_ +
                      "`. Expected a float value between 0 and 1. Received: " + argument_ + "=" +
                      Config(value).to_json());
  }
  set_supports_masking();
}

Config RandomLayer::config() const {
  return Config::object({{argument_, value_}, {"seed", seed_ ? Config(*seed_) : Config()}});
}

void RandomLayer::require_below_one() const {
  if (value_ < 1.0) return;
  throw ConfigError(class_name() + " " + name() + ": expected a " + argument_ + " below 1 in training, received " +
                    argument_ + "=1.0");
}

Tensor RandomLayer::call(const Tensor& input, CallContext& context) {
  if (!context.training() || value_ == 0.0) return input;
  return change(input, seeded_key(context, seed_));
}

}  // namespace strata
