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
  double number(const char* key, double otherwise) const { return has(key) ? config_.at(key).as_double() : otherwise; }
  std::string text(const char* key, const char* otherwise) const {
    return has(key) ? config_.at(key).as_string() : otherwise;
  }
  std::optional<std::int64_t> seed() const {
    if (!has("seed")) return {};
    return config_.at("seed").as_int();
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
    for (const auto& [class_name, entry] : entries_) {
      const bool found =
          class_name == name || std::find(entry.aliases.begin(), entry.aliases.end(), name) != entry.aliases.end();
      if (found) return entry.make(RuleArguments(kind_ + " " + class_name, config, entry.arguments));
    }
    throw ConfigError(unknown_ + name);
  }
  /// A name, or {"class_name": ..., "config": ...}.
  Rule make(const Config& config) const {
    if (config.is_string()) return make(config.as_string());
    return make(config.at("class_name").as_string(),
                config.contains("config") ? config.at("config") : Config::object());
  }

 private:
  std::string kind_;
  std::string unknown_;
  std::map<std::string, Entry> entries_;
};

}  // namespace strata
