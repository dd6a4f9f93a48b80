// SPDX-License-Identifier: Apache-2.0
#include "core/ops/registry.h"

#include "core/base/error.h"

namespace strata {

#define STRATA_OP(stem) void register_##stem(OpRegistry&);
#include "core/ops/list.inc"
#undef STRATA_OP

const OpRegistry& OpRegistry::instance() {
  static const OpRegistry registry = [] {
    OpRegistry filled;
#define STRATA_OP(stem) register_##stem(filled);
#include "core/ops/list.inc"
#undef STRATA_OP
    return filled;
  }();
  return registry;
}

void OpRegistry::add(OpEntry entry) {
  const std::string name = entry.name;
  if (!entries_.emplace(name, std::move(entry)).second) throw InternalError("Op '" + name + "' is registered twice");
}

const OpEntry& OpRegistry::at(std::string_view name) const {
  const auto found = entries_.find(name);
  if (found == entries_.end()) throw InternalError("No op named '" + std::string(name) + "' is registered");
  return found->second;
}

}  // namespace strata
