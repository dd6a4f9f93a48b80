// SPDX-License-Identifier: Apache-2.0
// IDX files, the format of MNIST (http://yann.lecun.com/exdb/mnist): a big-endian header, then the elements, row-major.
#pragma once

#include <span>
#include <string>

#include "io/array_header.h"

namespace strata {

class InputFile;

/// From the start of a file. Throws IoError for a header that is none, and for one that says more than any file holds.
ArrayHeader read_idx_header(InputFile& file);

/// Elements as they stand in the file to those of this machine.
void idx_to_native_order(std::span<std::byte> bytes, std::size_t element);

/// Reads a whole IDX file, plain or gzip. Element types unsigned byte (uint8), int (int32), float (float32) and double
/// (float64); any number of dimensions. Throws IoError naming the file when it is missing, malformed, cut short, longer
/// than its header says, or of an element type without a Strata dtype. Memory stays within twice the size of the data
/// that is really there, whatever the header says. Thread-safe.
Tensor read_idx(const std::string& path);

}  // namespace strata
