// SPDX-License-Identifier: Apache-2.0
// Lists of names, as errors show them.
#pragma once

#include <string>
#include <vector>

namespace strata {

/// "['input_1', 'dense']".
inline std::string quoted_list(const std::vector<std::string>& names) {
  std::string text;
  for (const std::string& name : names) text += (text.empty() ? "'" : ", '") + name + "'";
  return "[" + text + "]";
}

}  // namespace strata
