// SPDX-License-Identifier: Apache-2.0
#include "layers/registry.h"

#include "core/base/error.h"

namespace strata {

#define STRATA_LAYER(stem) void register_##stem(LayerRegistry&);
#include "layers/list.inc"
#undef STRATA_LAYER

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

LayerRef LayerRegistry::make(const std::string& class_name, const Config& config) const {
  const auto found = entries_.find(class_name);
  if (found == entries_.end()) throw ConfigError("Unknown layer: " + class_name);
  return found->second.from_config(config);
}

}  // namespace strata
