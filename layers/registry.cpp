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

void LayerRegistry::add_alias(std::string alias, std::string class_name) {
  if (!aliases_.emplace(alias, std::move(class_name)).second) {
    throw InternalError("Layer '" + alias + "' is registered twice");
  }
}

LayerFactory LayerRegistry::find(const std::string& class_name) {
  const LayerRegistry& all = instance();
  const auto alias = all.aliases_.find(class_name);
  const auto found = all.entries_.find(alias == all.aliases_.end() ? class_name : alias->second);
  return found == all.entries_.end() ? LayerFactory() : found->second.from_config;
}

}  // namespace strata
