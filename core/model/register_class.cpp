// SPDX-License-Identifier: Apache-2.0
#include "core/model/register_class.h"

#include "core/base/error.h"

namespace strata {

void register_class(const std::string& kind, const std::string& class_name, bool is_builtin, const CustomObject& make) {
  const std::string where = "register_" + kind + ": ";
  const bool empty = make.type() == typeid(void);
  if (class_name.empty() || empty) {
    throw ConfigError(where + "expected a class name and a function, received '" + class_name + "'" +
                      (empty ? " and an empty function" : ""));
  }
  const std::string taken = where + "a class '" + class_name + "' is known already";
  if (is_builtin) throw ConfigError(taken);
  try {
    register_custom_object(class_name, make);
  } catch (const ConfigError&) {
    throw ConfigError(taken);
  }
}

}  // namespace strata
