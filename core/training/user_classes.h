// SPDX-License-Identifier: Apache-2.0
// Internal: classes that users make known, beside a table of those that Keras has.
#pragma once

#include <functional>
#include <optional>
#include <string>

#include "core/base/config.h"
#include "core/base/error.h"
#include "core/base/named_table.h"
#include "core/base/registered_name.h"
#include "core/model/custom_objects.h"

namespace strata {

/// How to make things of one kind from a config, by class name. Thread-safe.
template <class T>
class UserClasses {
 public:
  using Factory = std::function<T(const Config& config)>;

  /// `kind` is for messages: "optimizer". Throws ConfigError without a name or a function, or when the name is taken.
  void add(const std::string& kind, const std::string& class_name, bool is_builtin, Factory make) {
    const std::string where = "register_" + kind + ": ";
    if (class_name.empty() || !make) throw ConfigError(where + "expected a class name and a function");
    if (!is_builtin && classes_.add(class_name, std::move(make))) return;
    throw ConfigError(where + "a class '" + class_name + "' is known already");
  }
  /// From {"class_name", "config"}; empty when nobody made the class known, here or as a custom object.
  std::optional<T> make(const Config& config) const {
    const std::string& name = config.at("class_name").as_string();
    std::optional<Factory> factory = find_custom<Factory>(name);
    if (!factory) factory = classes_.find(name);
    if (!factory) factory = classes_.find(without_package(name));
    if (!factory) return {};
    return (*factory)(config.contains("config") ? config.at("config") : Config::object());
  }

 private:
  NamedTable<Factory> classes_;
};

}  // namespace strata
