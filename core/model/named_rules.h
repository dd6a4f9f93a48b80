// SPDX-License-Identifier: Apache-2.0
// Internal: tables that make initializers, regularizers and constraints from what Keras serialises.
#pragma once

#include <algorithm>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "core/base/config.h"
#include "core/base/error.h"

namespace strata {

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
  /// A name, or {"class_name": ..., "config": ...}.
  Rule make(const Config& config) const {
    if (config.is_string()) return make(config.as_string());
    return make(config.at("class_name").as_string(),
                config.contains("config") ? config.at("config") : Config::object());
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

}  // namespace strata
