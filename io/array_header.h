// SPDX-License-Identifier: Apache-2.0
// Internal: what files say of an array in front of its elements.
#pragma once

#include <string>

#include "core/base/error.h"
#include "core/tensor/checked_bytes.h"

namespace strata {

struct ArrayHeader {
  TensorSpec spec;
  std::size_t bytes = 0;       // of the header; the elements follow
  std::size_t data_bytes = 0;  // of the elements
};

/// Throws IoError naming `path`, and `array` in it unless that is empty, for an array that exceeds any file.
inline ArrayHeader make_array_header(const std::string& path, const TensorSpec& spec, std::size_t bytes,
                                     const std::string& array = "") {
  if (const auto data_bytes = checked_bytes(spec)) return {spec, bytes, *data_bytes};
  throw IoError(path,
                (array.empty() ? "" : "array " + array + ": ") + "its shape " + spec.shape.str() + " exceeds any file");
}

}  // namespace strata
