// SPDX-License-Identifier: Apache-2.0
#include "core/model/layer_classes.h"

#include <atomic>

#include "core/base/error.h"
#include "core/base/registered_name.h"
#include "core/model/automatic_name.h"
#include "core/model/config_dialect.h"
#include "core/model/functional.h"
#include "core/model/model_reader.h"
#include "core/model/register_class.h"

namespace strata {
namespace {

constinit std::atomic<LayerCatalogue> catalogue = nullptr;
/// What core itself can make.
LayerFactory find_model(const std::string& class_name) {
  if (class_name == "Functional" || class_name == "Model") return read_functional;
  if (class_name == "Sequential") return read_sequential;
  if (class_name == "InputLayer") return read_input_layer;
  return {};
}

LayerFactory find_builtin(const std::string& class_name) {
  if (LayerFactory model = find_model(class_name)) return model;
  const LayerCatalogue layers = catalogue.load();
  return layers == nullptr ? LayerFactory() : layers(class_name);
}

/// What the config says of every layer must hold also where a program's own function does not look at it.
void adopt_options(const LayerRef& layer, const std::string& class_name, const Config& config) {
  const LayerOptions wanted = layer_options(config);
  const std::string made = "The function that makes the layer class '" + class_name + "' made a layer of ";
  const std::string hint = ". Give it LayerOptions from its config: layer_options(config).";
  if (!wanted.name.empty() && layer.name() != wanted.name) {
    throw ConfigError(made + "name '" + layer.name() + "' where the config has '" + wanted.name + "'" + hint);
  }
  if (wanted.dtype && layer.layer().dtype_policy() != *wanted.dtype) {
    throw ConfigError(made + "dtype " + layer.layer().dtype_policy().name() + " where the config of '" + layer.name() +
                      "' has " + wanted.dtype->name() + hint);
  }
  if (!wanted.trainable && layer.trainable()) layer.set_trainable(false);
}

LayerRef make_custom(const LayerFactory& make, const std::string& class_name, const Config& config) {
  if (!config.is_object()) return make(config);
  const AutomaticNameScope scope(class_name, layer_options(config).name);
  LayerRef layer = make(config);
  adopt_options(layer, class_name, config);
  return layer;
}

}  // namespace

void set_layer_catalogue(LayerCatalogue layers) { catalogue = layers; }

void register_layer(const std::string& class_name, const LayerFactory& from_config) {
  register_class("layer", class_name, find_builtin(class_name) != nullptr, from_config);
}

LayerOptions layer_options(const Config& config) {
  const Config& name = config.get("name");
  const Config& trainable = config.get("trainable");
  return {.name = name.is_null() ? "" : name.as_string(),
          .trainable = trainable.is_null() || trainable.as_bool(),
          .dtype = DtypePolicy::from_config(config.get("dtype"))};
}

LayerFactory find_layer_class(const std::string& class_name) {
  if (const auto custom = find_custom<LayerFactory>(class_name)) {
    return [make = *custom, class_name](const Config& config) { return make_custom(make, class_name, config); };
  }
  if (LayerFactory builtin = find_builtin(class_name)) return builtin;
  return find_builtin(without_package(class_name));
}

LayerRef deserialize_layer(const std::string& class_name, const Config& config) {
  if (const LayerFactory make = find_layer_class(class_name)) return make(config);
  throw unknown_layer(class_name);
}

LayerRef deserialize_layer(const Config& entry) {
  return deserialize_layer(entry.at("class_name").as_string(),
                           entry.contains("config") ? entry.at("config") : Config::object());
}

namespace {

/// A model as the layer that another holds. To Keras, lists of one tensor would mean that it takes and gives lists.
Config functional_within(const Config& all) {
  Config config = all;
  for (const char* ends : {"input_layers", "output_layers"}) {
    const Config::List tensors = config.at(ends).as_list();
    if (tensors.size() == 1) config.set(ends, tensors[0]);
  }
  return Config::object({{"class_name", "Functional"},
                         {"config", config},
                         {"module", "keras.src.models.functional"},
                         {"registered_name", "Functional"}});
}

}  // namespace

Config serialize_layer(const Layer& layer) {
  const std::string name = layer.class_name();
  Config config = Config::object({{"class_name", name}, {"config", layer.get_config()}});
  if (ConfigDialectScope::current() != ConfigDialect::keras3) return config;
  if (name == "Model" && dynamic_cast<const Functional*>(&layer) != nullptr) {
    return functional_within(config.at("config"));
  }
  const bool builtin = find_builtin(name) != nullptr;
  config.set("module", builtin ? Config(name == "Sequential" ? "keras" : "keras.layers") : Config());
  return config.set("registered_name", builtin ? Config() : Config(name));
}

}  // namespace strata
