// SPDX-License-Identifier: Apache-2.0
#include "io/datasets/dataset_files.h"

#include <fmt/format.h>

#include <algorithm>
#include <filesystem>
#include <system_error>

#include "core/base/error.h"

namespace strata::datasets {

void require_directory(const std::string& directory, const std::string& files) {
  std::error_code ignored;
  if (std::filesystem::is_directory(directory, ignored)) return;
  throw IoError(directory, fmt::format("expected a directory with {}, received {}", files,
                                       std::filesystem::exists(directory, ignored) ? "a file" : "nothing there"));
}

std::string find_file(const std::string& directory, const std::string& name) {
  const std::string plain = (std::filesystem::path(directory) / name).string();
  std::error_code ignored;
  for (const std::string& path : {plain, plain + ".gz"}) {
    if (std::filesystem::exists(path, ignored)) return path;
  }
  throw IoError(plain, "no such file, neither plain nor with .gz");
}

void check_labels(const std::string& path, std::span<const std::uint8_t> labels, int classes) {
  const auto bad = std::find_if(labels.begin(), labels.end(), [&](int label) { return label >= classes; });
  if (bad == labels.end()) return;
  throw IoError(path, fmt::format("expected labels 0 to {}, received {} at position {}", classes - 1, *bad,
                                  bad - labels.begin()));
}

}  // namespace strata::datasets
