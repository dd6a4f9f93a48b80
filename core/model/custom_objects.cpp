// SPDX-License-Identifier: Apache-2.0
#include "core/model/custom_objects.h"

#include "core/base/error.h"
#include "core/base/named_table.h"
#include "core/base/registered_name.h"

namespace strata {
namespace {

thread_local const CustomObjectScope* innermost_scope = nullptr;

/// Those of the whole program.
NamedTable<CustomObject>& registered() {
  static NamedTable<CustomObject> objects;
  return objects;
}

}  // namespace

CustomObjectScope::CustomObjectScope(CustomObjects objects) : objects_(std::move(objects)), outer_(innermost_scope) {
  innermost_scope = this;
}

CustomObjectScope::~CustomObjectScope() { innermost_scope = outer_; }

void register_custom_object(const std::string& name, const CustomObject& object) {
  if (name.empty() || object.type() == typeid(void)) {
    throw ConfigError("register_custom_object: expected a name and a function, received '" + name + "'" +
                      (name.empty() ? "" : " and an empty function"));
  }
  if (!registered().add(name, object)) {
    throw ConfigError("register_custom_object: an object '" + name + "' is known already");
  }
}

std::optional<CustomObject> find_custom_object(const std::string& name, const std::type_info& type) {
  const auto fits = [&](const CustomObject& object) { return type == typeid(void) || object.type() == type; };
  for (const std::string& known : {name, without_package(name)}) {
    for (const CustomObjectScope* scope = innermost_scope; scope != nullptr; scope = scope->outer_) {
      const auto found = scope->objects_.find(known);
      if (found != scope->objects_.end() && fits(found->second)) return found->second;
    }
    auto found = registered().find(known);
    if (found && fits(*found)) return found;
  }
  return {};
}

std::string how_to_make_known(const std::string& name) {
  if (find_custom_object(name, typeid(void))) {
    return ". What is known under this name is of another kind: CustomObject says which functions make which.";
  }
  return ". If it is one of your own, give it as one of `custom_objects`, {{\"" + name +
         "\", ...}}, or make it known with register_custom_object(\"" + name + "\", ...).";
}

}  // namespace strata
