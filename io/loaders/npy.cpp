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
  const ArrayHeader header = read_npy_header(read, path);
  require_ends_with(path, header);
  return Dataset::from_source(make_array_source(path, header.spec, header.bytes));
}

}  // namespace strata::loaders
