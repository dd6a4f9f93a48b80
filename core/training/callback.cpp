// SPDX-License-Identifier: Apache-2.0
#include "core/training/callback.h"

#include <algorithm>

#include "core/base/error.h"

namespace strata {
namespace {

/// The pair named `name` of a list of pairs, or its end.
template <class Pairs>
auto find_named(Pairs& pairs, const std::string& name) {
  return std::find_if(pairs.begin(), pairs.end(), [&](const auto& pair) { return pair.first == name; });
}

}  // namespace

const double* find_log(const Logs& logs, const std::string& name) {
  const auto found = find_named(logs, name);
  return found == logs.end() ? nullptr : &found->second;
}

void set_log(Logs& logs, const std::string& name, double value) {
  const auto found = find_named(logs, name);
  if (found == logs.end()) logs.emplace_back(name, value);
  else found->second = value;
}

void History::append(int epoch_number, const Logs& logs) {
  epoch.push_back(epoch_number);
  for (const auto& [name, value] : logs) {
    const auto found = find_named(history, name);
    if (found == history.end()) {
      history.push_back({name, {value}});
    } else {
      found->second.push_back(value);
    }
  }
}

const std::vector<double>& History::at(const std::string& name) const {
  const auto found = find_named(history, name);
  if (found != history.end()) return found->second;
  std::string names;
  for (const auto& [known, values] : history) names += (names.empty() ? "" : ", ") + known;
  throw ConfigError("History: expected one of [" + names + "], received '" + name + "'");
}

}  // namespace strata
