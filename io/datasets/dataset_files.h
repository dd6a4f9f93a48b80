// SPDX-License-Identifier: Apache-2.0
// Internal to datasets: the files that a data set is made of.
#pragma once

#include <cstdint>
#include <span>
#include <string>

namespace strata::datasets {

/// Throws IoError when there is no directory of this name; `files` says what it is to hold.
void require_directory(const std::string& directory, const std::string& files);

/// The path of a file, plain or else with `.gz` behind its name. Throws IoError when there is neither.
std::string find_file(const std::string& directory, const std::string& name);

/// Throws IoError naming the first label that is not below `classes`.
void check_labels(const std::string& path, std::span<const std::uint8_t> labels, int classes);

}  // namespace strata::datasets
