// SPDX-License-Identifier: Apache-2.0
#include "layers/layer_config.h"

#include <algorithm>
#include <array>
#include <string_view>

#include "core/base/error.h"
#include "layers/registry.h"

namespace strata {
namespace {

constexpr std::array<std::string_view, 4> kCommon = {"name", "trainable", "dtype", "batch_input_shape"};

}  // namespace

LayerConfig::LayerConfig(std::string class_name, const Config& config, const std::vector<std::string>& arguments)
    : class_name_(std::move(class_name)), config_(config) {
  for (const auto& [key, value] : config.as_object()) {
    const bool known = std::find(kCommon.begin(), kCommon.end(), key) != kCommon.end() ||
                       std::find(arguments.begin(), arguments.end(), key) != arguments.end();
    if (known || value.is_null()) continue;
    throw ConfigError("Unrecognized keyword arguments passed to " + class_name_ + ": {'" + key +
                      "': " + value.to_json() + "}");
  }
}

LayerOptions LayerConfig::options() const {
  return {.name = has("name") ? get("name").as_string() : "",
          .trainable = flag("trainable", true),
          .dtype = DtypePolicy::from_config(get("dtype"))};
}

const Config& LayerConfig::required(const std::string& key) const {
  if (!has(key))
    throw ConfigError(class_name_ + ": expected the argument '" + key + "', received " + config_.to_json());
  return get(key);
}

LayerRef LayerConfig::layer_from(const Config& config) const { return deserialize_layer(config); }

std::vector<LayerRef> LayerConfig::layers(const std::string& key) const {
  std::vector<LayerRef> all;
  for (const Config& config : required(key).as_list()) all.push_back(layer_from(config));
  return all;
}

Dim LayerConfig::integer(const std::string& key) const { return required(key).as_int(); }
double LayerConfig::number(const std::string& key) const { return required(key).as_double(); }

void set_weight_config(Config& config, const std::string& weight, const WeightOptions& options) {
  config.set(weight + "_initializer", options.initializer.config());
  config.set(weight + "_regularizer", options.regularizer.config());
  config.set(weight + "_constraint", options.constraint.config());
}

}  // namespace strata
