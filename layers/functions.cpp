// SPDX-License-Identifier: Apache-2.0
#include "layers/functions.h"

#include "core/base/error.h"
#include "core/base/named_table.h"
#include "core/model/custom_objects.h"
#include "layers/activation_functions.h"

namespace strata {
namespace {

NamedTable<NamedFunction>& functions() {
  static NamedTable<NamedFunction> table;
  static const bool filled = [] {
    for (const auto& [name, function] : activations::by_name()) table.add(name, NamedFunction(name, function));
    return true;
  }();
  static_cast<void>(filled);
  return table;
}

}  // namespace

NamedFunction NamedFunction::find(const std::string& name) {
  if (const auto own = find_custom<std::function<Tensor(const Tensor&)>>(name)) return {name, *own};
  return functions().find(name).value_or(NamedFunction());
}

NamedFunction::NamedFunction(const std::string& name) : NamedFunction(find(name)) {
  if (function_) return;
  throw ConfigError("Unknown function: " + name + ". Call register_function(\"" + name +
                    "\", ...) before it is asked for, or give it as one of `custom_objects`.");
}

Config NamedFunction::config() const {
  if (!function_) return {};
  return Config::object({{"class_name", "function"}, {"config", name_}});
}

NamedFunction NamedFunction::from_config(const Config& config) {
  if (config.is_null()) return {};
  if (config.is_string()) return config.as_string();
  if (config.is_object() && config.at("class_name") == Config("function")) return config.at("config").as_string();
  throw ConfigError("Expected the name of a function, received " + config.to_json() +
                    ". A Python lambda cannot be read: give it a name in Keras with "
                    "keras.saving.register_keras_serializable, and make "
                    "a C++ function known under this name with register_function.");
}

const Tensor& NamedFunction::only(const std::vector<Tensor>& inputs) {
  if (inputs.size() == 1) return inputs[0];
  throw ConfigError("A function of one tensor was called on " + std::to_string(inputs.size()) + " tensors.");
}

void NamedFunction::expect_none(const Config& arguments) {
  if (arguments.as_object().empty()) return;
  throw ConfigError("A function without arguments was called with the arguments " + arguments.to_json() + ".");
}

void register_function(const NamedFunction& function) {
  if (function.name().empty() || !function) {
    throw ConfigError("register_function: expected a name and a function, received '" + function.name() + "'" +
                      (function ? "" : " and an empty function"));
  }
  if (!functions().add(function.name(), function)) {
    throw ConfigError("register_function: a function '" + function.name() + "' is known already");
  }
}

}  // namespace strata
