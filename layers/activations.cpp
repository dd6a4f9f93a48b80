// SPDX-License-Identifier: Apache-2.0
#include "layers/activations.h"

#include "core/base/error.h"
#include "core/base/quoted_list.h"
#include "layers/registry.h"

namespace strata {
namespace {

/// Whether a config names a layer, not a function.
bool is_layer(const Config& config) {
  return config.is_object() && config.contains("class_name") &&
         LayerRegistry::find(config.at("class_name").as_string()) != nullptr;
}

Activation::Function call_of(const LayerRef& layer) {
  return [layer](const Tensor& x) {
    Tensor y = layer(x);
    if (!layer.weights().empty()) {
      throw ConfigError("The activation " + layer.layer().class_name() +
                        " has weights, which the layer that it was given to would not train. Call it as a layer of its "
                        "own.");
    }
    return y;
  };
}

}  // namespace

Activation::Activation(const std::string& name) {
  const NamedFunction function = NamedFunction::find(name.empty() ? "linear" : name);
  if (!function) {
    throw ConfigError("Unknown activation function:" + name + ". Expected one of: " + quoted_list(names()) +
                      ", or a name given to register_function.");
  }
  config_ = activations::by_name().contains(function.name()) ? Config(function.name()) : function.config();
  function_ = [function](const Tensor& x) { return function({x}); };
}

Activation::Activation(const std::string& name, Function function)
    : config_(NamedFunction(name, function).config()), function_(std::move(function)) {}

Activation Activation::from_config(const Config& config) {
  if (config.is_null()) return {};
  if (config.is_string()) return config.as_string();
  if (!is_layer(config)) return NamedFunction::from_config(config).name();
  const LayerRef layer = deserialize_layer(config);
  Activation activation;
  activation.config_ = serialize_layer(layer.layer());
  activation.function_ = call_of(layer);
  return activation;
}

std::vector<std::string> Activation::names() {
  std::vector<std::string> all;
  for (const auto& entry : activations::by_name()) all.push_back(entry.first);
  return all;
}

}  // namespace strata
