// SPDX-License-Identifier: Apache-2.0
#include "io/idx.h"

#include "core/base/error.h"
#include "io/input_file.h"
#include "io/loaders/loaders.h"
#include "io/loaders/record_files.h"

namespace strata::loaders {
namespace {

Dataset one_file(const std::string& path) {
  InputFile file(path);
  if (file.is_packed()) {
    const Tensor all = read_idx(path);
    if (all.rank() == 0) throw IoError(path, "expected samples along a first dimension, received a single number");
    return Dataset::from_tensor_slices(all);
  }
  const IdxHeader header = read_idx_header(file);
  if (header.spec.shape.rank() == 0) {
    throw IoError(path, "expected samples along a first dimension, received a single number");
  }
  const std::size_t expected = header.bytes + header.data_bytes, received = file_size(path);
  if (expected != received) {
    throw IoError(path, "expected " + std::to_string(expected) + " bytes for the shape " + header.spec.shape.str() +
                            ", received " + std::to_string(received));
  }
  const TensorSpec row{header.spec.shape.slice(1, header.spec.shape.rank()), header.spec.dtype};
  const std::size_t element = size_of(row.dtype);
  const auto decode = [element, bytes = row.bytes()](std::byte* samples, Dim count) {
    idx_to_native_order({samples, static_cast<std::size_t>(count) * bytes}, element);
  };
  return Dataset::from_source(make_record_source({{path, header.bytes, header.spec.shape[0]}}, row, decode));
}

}  // namespace

Dataset idx(const std::string& images, const std::string& labels) {
  return labels.empty() ? one_file(images) : Dataset::zip(one_file(images), one_file(labels));
}

}  // namespace strata::loaders
