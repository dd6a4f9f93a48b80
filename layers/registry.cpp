// SPDX-License-Identifier: Apache-2.0
#include "layers/registry.h"

#include "core/base/error.h"
#include "core/base/named_table.h"

namespace strata {

#define STRATA_LAYER(stem) void register_##stem(LayerRegistry&);
#include "layers/list.inc"
#undef STRATA_LAYER

namespace {

/// The classes that register_layer made known.
NamedTable<LayerFactory>& user_layers() {
  static NamedTable<LayerFactory> layers;
  return layers;
}

}  // namespace

const LayerRegistry& LayerRegistry::instance() {
  static const LayerRegistry registry = [] {
    LayerRegistry filled;
#define STRATA_LAYER(stem) register_##stem(filled);
#include "layers/list.inc"
#undef STRATA_LAYER
    return filled;
  }();
  return registry;
}

void LayerRegistry::add(LayerEntry entry) {
  const std::string name = entry.class_name;
  if (!entries_.emplace(name, std::move(entry)).second) throw InternalError("Layer '" + name + "' is registered twice");
}

void LayerRegistry::add_alias(std::string alias, std::string class_name) {
  if (!aliases_.emplace(alias, std::move(class_name)).second) {
    throw InternalError("Layer '" + alias + "' is registered twice");
  }
}

LayerRef LayerRegistry::make(const std::string& class_name, const Config& config) const {
  const auto alias = aliases_.find(class_name);
  const auto found = entries_.find(alias == aliases_.end() ? class_name : alias->second);
  const LayerFactory factory =
      found != entries_.end() ? found->second.from_config : user_layers().find(class_name).value_or(nullptr);
  if (!factory) throw ConfigError("Unknown layer: " + class_name);
  return factory(config);
}

void register_layer(const std::string& class_name, LayerFactory from_config) {
  if (class_name.empty() || !from_config) {
    throw ConfigError("register_layer: expected a class name and a function, received '" + class_name + "'" +
                      (from_config ? "" : " and an empty function"));
  }
  const bool is_new =
      !LayerRegistry::instance().knows(class_name) && user_layers().add(class_name, std::move(from_config));
  if (!is_new) throw ConfigError("register_layer: a layer class '" + class_name + "' is known already");
}

}  // namespace strata
