// SPDX-License-Identifier: Apache-2.0
#include "layers/functions.h"

#include <map>
#include <mutex>

#include "core/base/error.h"
#include "layers/activation_functions.h"

namespace strata {
namespace {

/// The functions that have a name. Thread-safe.
class FunctionTable {
 public:
  static FunctionTable& instance() {
    static FunctionTable table;
    return table;
  }
  bool add(const NamedFunction& function) {
    const std::lock_guard lock(mutex_);
    return functions_.emplace(function.name(), function).second;
  }
  /// None when there is none of that name.
  NamedFunction find(const std::string& name) const {
    const std::lock_guard lock(mutex_);
    const auto found = functions_.find(name);
    return found == functions_.end() ? NamedFunction() : found->second;
  }

 private:
  FunctionTable() {
    for (const auto& [name, function] : activations::by_name()) functions_.emplace(name, NamedFunction(name, function));
  }

  mutable std::mutex mutex_;
  std::map<std::string, NamedFunction> functions_;
};

}  // namespace

NamedFunction NamedFunction::find(const std::string& name) { return FunctionTable::instance().find(name); }

NamedFunction::NamedFunction(const std::string& name) : NamedFunction(find(name)) {
  if (function_) return;
  throw ConfigError("Unknown function: " + name + ". Call register_function(\"" + name +
                    "\", ...) before it is asked for.");
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
  if (!FunctionTable::instance().add(function)) {
    throw ConfigError("register_function: a function '" + function.name() + "' is known already");
  }
}

}  // namespace strata
