// SPDX-License-Identifier: Apache-2.0
#include "core/base/verbose.h"

#include <cstdio>
#include <cstdlib>
#include <string>

namespace strata {

int verbosity() {
  static const int level = [] {
    const char* text = std::getenv("STRATA_VERBOSE");
    return text == nullptr ? 0 : std::atoi(text);
  }();
  return level;
}

void verbose_line(std::string_view text) {
  const std::string line = "strata: " + std::string(text) + "\n";
  std::fwrite(line.data(), 1, line.size(), stderr);
}

}  // namespace strata
