// SPDX-License-Identifier: Apache-2.0
// Text in arrays of fixed size, as records in files and messages have it.
#pragma once

#include <algorithm>
#include <array>
#include <string_view>

namespace strata {

/// As much of the text as there is room for, and a zero behind it.
template <std::size_t n>
void copy_text(std::array<char, n>& to, std::string_view text) {
  const std::size_t length = std::min(text.size(), n - 1);
  std::copy_n(text.begin(), length, to.begin());
  to[length] = '\0';
}

}  // namespace strata
