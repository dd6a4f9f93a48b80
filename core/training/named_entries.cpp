// SPDX-License-Identifier: Apache-2.0
#include "core/training/named_entries.h"

#include <algorithm>

#include "core/base/error.h"

namespace strata {

std::string quoted_list(const std::vector<std::string>& names) {
  std::string text;
  for (const std::string& name : names) text += (text.empty() ? "'" : ", '") + name + "'";
  return "[" + text + "]";
}

void require_known_entries(const std::string& what, const std::vector<std::string>& names,
                           const std::vector<std::string>& known) {
  std::vector<std::string> unknown;
  for (const std::string& name : names) {
    if (std::find(known.begin(), known.end(), name) == known.end()) unknown.push_back(name);
  }
  if (unknown.empty()) return;
  throw ConfigError("Unknown entries in " + what + " dictionary: " + quoted_list(unknown) +
                    ". Only expected following keys: " + quoted_list(known));
}

}  // namespace strata
