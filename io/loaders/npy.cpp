// SPDX-License-Identifier: Apache-2.0
#include "core/base/error.h"
#include "io/input_file.h"
#include "io/loaders/loaders.h"
#include "io/loaders/record_files.h"
#include "io/npy_header.h"

namespace strata::loaders {

Dataset npy(const std::string& path) {
  InputFile file(path);
  const auto read = [&](std::size_t size) {
    std::string bytes(size, '\0');
    bytes.resize(file.read(bytes.data(), size));
    return bytes;
  };
  if (file.is_packed()) throw IoError(path, "expected an .npy file, received one packed with gzip");
  const NpyHeader header = read_npy_header(read, path);
  const Shape& shape = header.spec.shape;
  if (shape.rank() == 0) throw IoError(path, "expected samples along a first dimension, received a single number");
  const std::size_t received = file_size(path);
  if (received != header.bytes + header.data_bytes) {
    throw IoError(path, "expected " + std::to_string(header.bytes + header.data_bytes) + " bytes for " +
                            header.spec.str() + ", received " + std::to_string(received));
  }
  return Dataset::from_source(
      make_record_source({{path, header.bytes, shape[0]}}, {shape.slice(1, shape.rank()), header.spec.dtype}));
}

}  // namespace strata::loaders
