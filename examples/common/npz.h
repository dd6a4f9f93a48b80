// SPDX-License-Identifier: Apache-2.0
// Arrays in the .npz files of numpy.savez and numpy.savez_compressed.
#pragma once

#include <strata/strata.h>

#include <map>
#include <string>
#include <vector>

namespace strata::examples {

/// All arrays of a file, by name. Throws IoError naming the file, and the array in it, for what cannot be read: other
/// elements than bool, uint8, int32, int64, float16, float32 and float64 of this machine's byte order, or columns
/// first.
std::map<std::string, Tensor> read_npz(const std::string& path);

/// Writes arrays under names, as numpy.savez does. Throws IoError when it cannot.
void write_npz(const std::string& path, const std::vector<std::pair<std::string, Tensor>>& arrays);

}  // namespace strata::examples
