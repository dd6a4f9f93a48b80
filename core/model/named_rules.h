// SPDX-License-Identifier: Apache-2.0
// Internal: how initializers, regularizers, losses and the like are made from what Keras serialises: from tables of
// those that Keras has, or from what a program made known.
#pragma once

#include <algorithm>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <type_traits>
#include <vector>

#include "core/base/config.h"
#include "core/base/error.h"
#include "core/model/custom_objects.h"

namespace strata {

/// What a config names: a class and its arguments, or a function.
struct ConfiguredName {
  std::string name;
  Config arguments;

  /// From a name, {"class_name", "config"}, or Keras 3's {"class_name": "function", "config": name}.
  static ConfiguredName of(const Config& config) {
    if (config.is_string()) return {config.as_string(), Config::object()};
    const std::string& class_name = config.at("class_name").as_string();
    const Config& arguments = config.get("config");
    if (class_name == "function" && arguments.is_string()) return {arguments.as_string(), Config::object()};
    return {class_name, arguments.is_null() ? Config::object() : arguments};
  }
};

/// As Keras 3 serialises a function.
inline Config function_config(const std::string& name) {
  return Config::object({{"class_name", "function"}, {"config", name}});
}

/// What a class that a program made known makes of these arguments; empty when there is no such class.
template <class T>
std::optional<T> make_custom_class(const ConfiguredName& wanted) {
  const auto make = find_custom<std::function<T(const Config&)>>(wanted.name);
  return make ? std::optional<T>((*make)(wanted.arguments)) : std::nullopt;
}

/// The rule that a program made known under this name, as a class or as a plain function, of which `from_function`
/// makes a rule; empty when there is none.
template <class Rule, class Function>
std::optional<Rule> make_custom_rule(const ConfiguredName& wanted,
                                     Rule (*from_function)(const std::string& name, const Function& function)) {
  if (auto made = make_custom_class<Rule>(wanted)) return made;
  if (const auto function = find_custom<Function>(wanted.name)) return from_function(wanted.name, *function);
  return {};
}

/// The arguments in the config of one rule; a missing or null one has its default.
class RuleArguments {
 public:
  /// Throws ConfigError for an argument that is not `known` and not null; `what` is "Initializer Zeros".
  RuleArguments(const std::string& what, const Config& config, const std::vector<std::string>& known)
      : config_(config) {
    for (const auto& member : config.as_object()) {
      const bool expected = std::find(known.begin(), known.end(), member.first) != known.end();
      if (expected || member.second.is_null()) continue;
      throw ConfigError(what + ": unknown argument '" + member.first + "'");
    }
  }
  bool has(const char* key) const { return config_.contains(key) && !config_.at(key).is_null(); }
  /// Whether the argument is there and null: Keras' None where that is not the default.
  bool is_none(const char* key) const { return config_.contains(key) && config_.at(key).is_null(); }
  const Config& at(const char* key) const { return config_.at(key); }
  /// The argument as it is, also when it is null; `otherwise` when absent.
  Config given(const char* key, const Config& otherwise) const {
    return config_.contains(key) ? config_.at(key) : otherwise;
  }
  bool flag(const char* key, bool otherwise) const { return has(key) ? config_.at(key).as_bool() : otherwise; }
  double number(const char* key, double otherwise) const { return has(key) ? config_.at(key).as_double() : otherwise; }
  std::int64_t integer(const char* key, std::int64_t otherwise) const {
    return has(key) ? config_.at(key).as_int() : otherwise;
  }
  std::string text(const char* key, const char* otherwise) const {
    return has(key) ? config_.at(key).as_string() : otherwise;
  }
  std::optional<std::int64_t> seed() const { return optional_integer("seed"); }
  std::optional<std::int64_t> optional_integer(const char* key) const {
    if (!has(key)) return {};
    return config_.at(key).as_int();
  }
  /// One number or a list of them; none when absent.
  std::vector<double> numbers(const char* key) const {
    if (!has(key)) return {};
    const Config& value = config_.at(key);
    if (!value.is_list()) return {value.as_double()};
    std::vector<double> numbers;
    for (const Config& number : value.as_list()) numbers.push_back(number.as_double());
    return numbers;
  }
  /// One axis or a list of them.
  std::vector<int> axes(const char* key, std::vector<int> otherwise) const {
    if (!has(key)) return otherwise;
    const Config& value = config_.at(key);
    if (value.is_int()) return {static_cast<int>(value.as_int())};
    std::vector<int> axes;
    for (const Config& axis : value.as_list()) axes.push_back(static_cast<int>(axis.as_int()));
    return axes;
  }

 private:
  const Config& config_;
};

/// Rules of one kind by Keras class name.
template <class Rule>
class RuleTable {
 public:
  struct Entry {
    std::vector<std::string> aliases;
    std::vector<std::string> arguments;
    std::function<Rule(const RuleArguments&)> make;
  };

  /// `kind` begins errors about arguments: "Initializer"; `unknown` those about names: "Unknown initializer:".
  RuleTable(std::string kind, std::string unknown, std::map<std::string, Entry> entries)
      : kind_(std::move(kind)), unknown_(std::move(unknown)), entries_(std::move(entries)) {}

  Rule make(const std::string& name, const Config& config = Config::object()) const {
    const auto found = find(name);
    if (found == entries_.end()) throw ConfigError(unknown_ + name + ". Expected one of: " + class_names() + ".");
    return found->second.make(RuleArguments(kind_ + " " + found->first, config, found->second.arguments));
  }
  /// Whether there is a rule of this class name or alias.
  bool knows(const std::string& name) const { return find(name) != entries_.end(); }
  /// "L1, L1L2, L2".
  std::string class_names() const {
    std::string names;
    for (const auto& entry : entries_) names += (names.empty() ? "" : ", ") + entry.first;
    return names;
  }
  /// From what a file has; the error about a name that is not known says how to make it known.
  Rule make(const ConfiguredName& wanted) const {
    if (!knows(wanted.name)) throw ConfigError(unknown_ + wanted.name + how_to_make_known(wanted.name));
    return make(wanted.name, wanted.arguments);
  }

 private:
  auto find(const std::string& name) const {
    return std::find_if(entries_.begin(), entries_.end(), [&](const auto& entry) {
      const auto& aliases = entry.second.aliases;
      return entry.first == name || std::find(aliases.begin(), aliases.end(), name) != aliases.end();
    });
  }

  std::string kind_;
  std::string unknown_;
  std::map<std::string, Entry> entries_;
};

/// The rule of this name, or of what a file has: one that the program made known, as a class or as a function of this
/// type, before one of the table.
template <class Function, class Rule, class Wanted>
Rule make_rule(const RuleTable<Rule>& table, const Wanted& wanted) {
  const ConfiguredName name = ConfiguredName::of(wanted);
  const auto own = make_custom_rule<Rule, Function>(
      name, [](const std::string& n, const Function& function) { return Rule("function", n, function); });
  if (own) return *own;
  if constexpr (std::is_same_v<Wanted, Config>) return table.make(name);
  else return table.make(wanted);
}

}  // namespace strata
