// SPDX-License-Identifier: Apache-2.0
// Arrays in the .npz files of numpy.savez and numpy.savez_compressed.
#pragma once

#include <map>
#include <set>
#include <string>
#include <vector>

#include "core/tensor/tensor.h"

namespace strata {

/// All arrays of a file, by name. Throws IoError naming the file, and the array in it, for what cannot be read: other
/// elements than bool, uint8, int32, int64, float16, float32 and float64 of this machine's byte order, or columns
/// first. Memory stays in proportion to what is really in the file, whatever its headers say.
std::map<std::string, Tensor> read_npz(const std::string& path);

/// Writes arrays under names, as numpy.savez does. Throws IoError when it cannot.
void write_npz(const std::string& path, const std::vector<std::pair<std::string, Tensor>>& arrays);

/// Where an array lies in a file.
struct NpzEntry {
  TensorSpec spec;
  bool packed = false;
  std::size_t begin = 0;  // of the elements in the file, in bytes; of those that are not packed
};

/// What read_npz() would read of these arrays, without reading it. Others may be of any kind. Throws IoError when one
/// is not there.
std::map<std::string, NpzEntry> find_in_npz(const std::string& path, const std::set<std::string>& names);
/// One of them. Throws IoError when it is not there.
Tensor read_npz_array(const std::string& path, const std::string& name);

}  // namespace strata
