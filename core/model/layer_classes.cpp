// SPDX-License-Identifier: Apache-2.0
#include "core/model/layer_classes.h"

#include <atomic>

#include "core/base/error.h"
#include "core/base/named_table.h"
#include "core/base/registered_name.h"
#include "core/model/config_dialect.h"
#include "core/model/functional.h"
#include "core/model/model_reader.h"

namespace strata {
namespace {

constinit std::atomic<LayerCatalogue> catalogue = nullptr;
thread_local const CustomObjectScope* innermost_scope = nullptr;

/// The classes that register_layer made known.
NamedTable<LayerFactory>& registered() {
  static NamedTable<LayerFactory> layers;
  return layers;
}

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

}  // namespace

LayerFactory find_custom_object(const std::string& class_name) {
  for (const CustomObjectScope* scope = innermost_scope; scope != nullptr; scope = scope->outer_) {
    const auto found = scope->objects_.find(class_name);
    if (found != scope->objects_.end()) return found->second;
  }
  return registered().find(class_name).value_or(nullptr);
}

CustomObjectScope::CustomObjectScope(CustomObjects objects) : objects_(std::move(objects)), outer_(innermost_scope) {
  innermost_scope = this;
}

CustomObjectScope::~CustomObjectScope() { innermost_scope = outer_; }

void set_layer_catalogue(LayerCatalogue layers) { catalogue = layers; }

void register_layer(const std::string& class_name, LayerFactory from_config) {
  if (class_name.empty() || !from_config) {
    throw ConfigError("register_layer: expected a class name and a function, received '" + class_name + "'" +
                      (from_config ? "" : " and an empty function"));
  }
  const bool is_new = !find_builtin(class_name) && registered().add(class_name, std::move(from_config));
  if (!is_new) throw ConfigError("register_layer: a layer class '" + class_name + "' is known already");
}

LayerFactory find_layer_class(const std::string& class_name) {
  for (const std::string& name : {class_name, without_package(class_name)}) {
    if (LayerFactory custom = find_custom_object(name)) return custom;
    if (LayerFactory builtin = find_builtin(name)) return builtin;
  }
  return {};
}

LayerRef deserialize_layer(const std::string& class_name, const Config& config) {
  if (const LayerFactory make = find_layer_class(class_name)) return make(config);
  throw ConfigError("Unknown layer: " + class_name);
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
