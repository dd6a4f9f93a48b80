// SPDX-License-Identifier: Apache-2.0
#include "layers/registry.h"

#include <mutex>

#include "core/base/error.h"

namespace strata {

#define STRATA_LAYER(stem) void register_##stem(LayerRegistry&);
#include "layers/list.inc"
#undef STRATA_LAYER

namespace {

/// The classes that register_layer made known. Thread-safe.
class UserLayers {
 public:
  static UserLayers& instance() {
    static UserLayers layers;
    return layers;
  }
  bool add(const std::string& class_name, LayerFactory factory) {
    const std::lock_guard lock(mutex_);
    return factories_.emplace(class_name, std::move(factory)).second;
  }
  /// Empty when there is none.
  LayerFactory find(const std::string& class_name) const {
    const std::lock_guard lock(mutex_);
    const auto found = factories_.find(class_name);
    return found == factories_.end() ? LayerFactory() : found->second;
  }

 private:
  mutable std::mutex mutex_;
  std::map<std::string, LayerFactory> factories_;
};

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
      found != entries_.end() ? found->second.from_config : UserLayers::instance().find(class_name);
  if (!factory) throw ConfigError("Unknown layer: " + class_name);
  return factory(config);
}

void register_layer(const std::string& class_name, LayerFactory from_config) {
  if (class_name.empty() || !from_config) {
    throw ConfigError("register_layer: expected a class name and a function, received '" + class_name + "'" +
                      (from_config ? "" : " and an empty function"));
  }
  const bool is_new =
      !LayerRegistry::instance().knows(class_name) && UserLayers::instance().add(class_name, std::move(from_config));
  if (!is_new) throw ConfigError("register_layer: a layer class '" + class_name + "' is known already");
}

}  // namespace strata
