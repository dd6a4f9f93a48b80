// SPDX-License-Identifier: Apache-2.0
// Text of op attributes: two ops are equal when their names and these texts are, so numbers are written exactly.
#pragma once

#include <charconv>
#include <span>
#include <string>
#include <vector>

namespace strata {

/// The shortest text that reads back as the same number.
inline std::string number_text(double value) {
  char buffer[32];
  const auto end = std::to_chars(buffer, buffer + sizeof(buffer), value).ptr;
  return {buffer, end};
}

/// "[0, -1, 2]".
template <class T>
std::string list_text(const std::vector<T>& values) {
  std::string text = "[";
  for (std::size_t i = 0; i < values.size(); ++i) text += (i > 0 ? ", " : "") + std::to_string(values[i]);
  return text + "]";
}

}  // namespace strata
