// SPDX-License-Identifier: Apache-2.0
// The text of the files of tests/golden.
#pragma once

#include <filesystem>
#include <fstream>
#include <iterator>
#include <stdexcept>
#include <string>

namespace strata::testing {

/// The bytes of tests/golden/<name>.
inline std::string golden_text(const std::string& name) {
  const auto path = std::filesystem::path(STRATA_GOLDEN_DIR) / name;
  std::ifstream file(path, std::ios::binary);
  if (!file) throw std::runtime_error("cannot read " + path.string());
  return {std::istreambuf_iterator<char>(file), {}};
}

}  // namespace strata::testing
