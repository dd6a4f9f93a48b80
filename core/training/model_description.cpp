// SPDX-License-Identifier: Apache-2.0
// Models from their descriptions, and back.
#include "core/base/error.h"
#include "core/training/model_state.h"

namespace strata {

namespace {

/// tf.keras has the bare name where Keras 3 has {"class_name": "function", "config": name}.
Config with_bare_functions(const Config& config) {
  if (config.is_list()) {
    Config::List list;
    for (const Config& entry : config.as_list()) list.push_back(with_bare_functions(entry));
    return list;
  }
  if (!config.is_object()) return config;
  if (config.get("class_name") == Config("function") && config.get("config").is_string()) return config.at("config");
  Config object = Config::object();
  for (const auto& [key, value] : config.as_object()) object.set(key, with_bare_functions(value));
  return object;
}

}  // namespace

Config Model::serialized() const {
  const Config config = Config::object({{"class_name", layer().class_name()}, {"config", get_config()}});
  return ConfigDialectScope::current() == ConfigDialect::keras2 ? with_bare_functions(config) : config;
}

std::string Model::to_json() const {
  const char* version = keras_version_of(ConfigDialectScope::current());
  return serialized().set("keras_version", version).set("backend", "tensorflow").to_json();
}

Model model_from_config(const Config& config, const CustomObjects& custom_objects) {
  const CustomObjectScope scope(custom_objects);
  const LayerRef layer = deserialize_layer(config);
  const auto graph = std::dynamic_pointer_cast<Functional>(layer.shared());
  if (const auto own = std::dynamic_pointer_cast<SubclassedModel>(layer.shared())) return Model(own);
  if (graph == nullptr) throw ConfigError("expected a model, received a layer of class " + layer.layer().class_name());
  return Model(graph);
}

Model model_from_json(const std::string& json, const CustomObjects& custom_objects) {
  return model_from_config(Config::from_json(json), custom_objects);
}

Model clone_model(const Model& model) {
  return model_from_config(
      Config::object({{"class_name", model.layer().class_name()}, {"config", model.get_config()}}));
}

}  // namespace strata
