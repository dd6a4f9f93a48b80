// SPDX-License-Identifier: Apache-2.0
// Layers by class name: how configs become layers, and how programs add classes of their own.
#pragma once

#include <functional>
#include <map>
#include <string>

#include "core/model/layer.h"

namespace strata {

/// Makes a layer from what its get_config() returned.
using LayerFactory = std::function<LayerRef(const Config& config)>;

/// Makes a layer class of one's own known to everything that reads configs, model files among them. `class_name` is
/// what the layer's class_name() returns. Thread-safe. Throws ConfigError when a class of that name is known already.
///     register_layer("CustomDense", [](const Config& config) {
///       return make_layer<CustomDense>(config.at("units").as_int());
///     });
void register_layer(const std::string& class_name, LayerFactory from_config);

/// Layer classes for one place instead of the whole program, as Keras' custom_objects: {{"CustomDense", factory}}.
using CustomObjects = std::map<std::string, LayerFactory>;

/// Makes `objects` known to this thread until the end of the scope; they win over all other classes.
class CustomObjectScope {
 public:
  explicit CustomObjectScope(CustomObjects objects);
  ~CustomObjectScope();
  CustomObjectScope(const CustomObjectScope&) = delete;
  CustomObjectScope& operator=(const CustomObjectScope&) = delete;

 private:
  friend LayerFactory find_custom_object(const std::string& class_name);
  CustomObjects objects_;
  const CustomObjectScope* outer_;
};

/// For a class of layers or of models ("Functional", "Model", "Sequential"); empty when nobody made it known.
LayerFactory find_layer_class(const std::string& class_name);
/// Makes a layer or a model from its config. A name with a package, "package>CustomDense" as Keras 3 writes it, also
/// finds the class without it. Throws ConfigError "Unknown layer:
/// CustomDense", and for configs that do not fit the class.
LayerRef deserialize_layer(const std::string& class_name, const Config& config);
/// The same from {"class_name", "config"}.
LayerRef deserialize_layer(const Config& entry);

/// What deserialize_layer() reads, for layers that hold others: {"class_name", "config"}, and where Keras 3 is to read
/// it also "module" and "registered_name".
Config serialize_layer(const Layer& layer);

/// Where the classes of the catalogue come from: gives an empty function for a name it does not know. Set once, before
/// configs are read.
using LayerCatalogue = LayerFactory (*)(const std::string& class_name);
void set_layer_catalogue(LayerCatalogue catalogue);

}  // namespace strata
