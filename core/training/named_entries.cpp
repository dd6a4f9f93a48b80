// SPDX-License-Identifier: Apache-2.0
#include "core/training/named_entries.h"

#include <algorithm>

#include "core/base/error.h"
#include "core/base/quoted_list.h"

namespace strata {

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
