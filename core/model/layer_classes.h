// SPDX-License-Identifier: Apache-2.0
// Layers by class name: how configs become layers, and how programs add classes of their own.
#pragma once

#include <string>

#include "core/model/custom_objects.h"

namespace strata {

/// Makes a layer class of one's own known to everything that reads configs, model files among them. `class_name` is
/// what the layer's class_name() returns. Thread-safe. Throws ConfigError when a class of that name is known already.
///     register_layer("CustomDense", [](const Config& config) {
///       return make_layer<CustomDense>(config.at("units").as_int());
///     });
/// A layer that is made without a name gets that of the config, and is frozen when the config says so; its dtype, where
/// it is not the session's, the function must see to: see layer_options().
void register_layer(const std::string& class_name, const LayerFactory& from_config);

/// Name, trainable and dtype in a layer's config, for constructors that take them:
/// `make_layer<Scale>(config.at("factor").as_double(), layer_options(config))`.
LayerOptions layer_options(const Config& config);

/// For a class of layers or of models ("Functional", "Model", "Sequential"); empty when nobody made it known.
LayerFactory find_layer_class(const std::string& class_name);
/// Makes a layer or a model from its config. A name with a package, "package>CustomDense" as Keras 3 writes it, also
/// finds the class without it. Throws ConfigError "Unknown layer: CustomDense. ...", for configs that do not fit the
/// class, and when a function of the program's own made a layer of another name or dtype than the config has.
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
