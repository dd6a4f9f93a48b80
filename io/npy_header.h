// SPDX-License-Identifier: Apache-2.0
// Internal: the header of NumPy's arrays, in .npy files and in .npz.
// https://numpy.org/doc/stable/reference/generated/numpy.lib.format.html
#pragma once

#include <functional>
#include <string>

#include "io/array_header.h"

namespace strata {

/// `read(size)` returns the next bytes of the array, fewer only where it ends. Throws IoError naming `path`, and
/// `array` in it unless that is empty, for what is no array of NumPy, or one of other elements than bool, uint8, int32,
/// int64, float16, float32 and float64 of this machine's byte order, or columns first.
ArrayHeader read_npy_header(const std::function<std::string(std::size_t)>& read, const std::string& path,
                            const std::string& array = "");

/// Magic, version and header of an array of these elements, of one of the types above.
std::string npy_header(const TensorSpec& spec);

}  // namespace strata
