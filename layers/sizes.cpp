// SPDX-License-Identifier: Apache-2.0
#include "layers/sizes.h"

#include <set>

#include "core/base/error.h"

namespace strata {
namespace {

/// "{-1, 0}": as Python prints a set.
std::string set_text(const std::set<Dim>& values) {
  std::string text;
  for (const Dim value : values) text += (text.empty() ? "" : ", ") + std::to_string(value);
  return "{" + text + "}";
}

}  // namespace

std::string tuple_text(const std::vector<Dim>& values) {
  std::string text = "(";
  for (std::size_t i = 0; i < values.size(); ++i) text += (i > 0 ? ", " : "") + std::to_string(values[i]);
  return text + (values.size() == 1 ? ",)" : ")");
}

std::string array_text(std::span<const Dim> values) {
  std::string text;
  for (const Dim value : values) text += (text.empty() ? "" : " ") + (value == None ? "None" : std::to_string(value));
  return "[" + text + "]";
}

std::vector<Dim> Sizes::expanded(int n, const std::string& argument, Dim smallest) const {
  const auto count = static_cast<std::size_t>(n);
  const std::string error = "The `" + argument + "` argument must be a tuple of " + std::to_string(n) +
                            " integers. Received " + argument + "=" + text();
  const std::vector<Dim> values = whole_ ? std::vector<Dim>(count, values_[0]) : values_;
  if (values.size() != count) throw ConfigError(error);
  std::set<Dim> refused;
  for (const Dim value : values) {
    if (value < smallest) refused.insert(value);
  }
  if (refused.empty()) return values;
  throw ConfigError(error + ", including values " + set_text(refused) + " that do not satisfy `value " +
                    (smallest > 0 ? "> 0" : ">= 0") + "`");
}

std::string Sizes::text() const {
  if (empty()) return "None";
  return whole_ ? std::to_string(values_[0]) : tuple_text(values_);
}

Sizes Sizes::from_config(const Config& config) {
  if (config.is_null()) return {};
  if (config.is_int()) return config.as_int();
  std::vector<Dim> values;
  for (const Config& value : config.as_list()) values.push_back(value.as_int());
  return Sizes(std::move(values));
}

std::string SizePairs::text() const {
  if (is_one_number()) return std::to_string(all_);
  std::string text = "(";
  for (std::size_t i = 0; i < pairs_.size(); ++i) text += (i > 0 ? ", " : "") + pairs_[i].text();
  return text + (pairs_.size() == 1 ? ",)" : ")");
}

SizePairs SizePairs::from_config(const Config& config) {
  if (config.is_int()) return config.as_int();
  std::vector<Sizes> pairs;
  for (const Config& pair : config.as_list()) pairs.push_back(Sizes::from_config(pair));
  return SizePairs(std::move(pairs));
}

}  // namespace strata
