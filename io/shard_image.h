// SPDX-License-Identifier: Apache-2.0
// Internal: an HDF5 file in memory, with room for arrays whose elements are filled in later.
#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include "core/tensor/tensor.h"

namespace strata {

/// One array, elements contiguous as this machine has them; bfloat16, which HDF5 does not have, as uint16.
struct ImageArray {
  std::string name;  // "weights/dense.kernel": in groups
  TensorSpec spec;
  friend bool operator==(const ImageArray&, const ImageArray&) = default;
};

struct ShardImage {
  std::vector<std::byte> bytes;      // the whole file; the elements are zero
  std::vector<std::size_t> offsets;  // where in it each array begins
};

/// The same arrays make the same bytes. Arrays without elements have no place: their offset is 0. Thread-safe. Throws
/// IoError naming `path`, which is for messages alone.
ShardImage make_shard_image(const std::string& path, const std::vector<ImageArray>& arrays);

}  // namespace strata
