// SPDX-License-Identifier: Apache-2.0
// Models from their descriptions, and back.
#include "core/base/error.h"
#include "core/training/model_state.h"

namespace strata {

Config Model::serialized() const {
  return Config::object({{"class_name", layer().class_name()}, {"config", get_config()}});
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
