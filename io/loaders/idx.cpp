// SPDX-License-Identifier: Apache-2.0
#include "io/idx.h"

#include "io/input_file.h"
#include "io/loaders/loaders.h"
#include "io/loaders/record_files.h"

namespace strata::loaders {
namespace {

Dataset one_file(const std::string& path) {
  InputFile file(path);
  if (file.is_packed()) {
    const Tensor all = read_idx(path);
    sample_of(path, all.spec());
    return Dataset::from_tensor_slices(all);
  }
  const ArrayHeader header = read_idx_header(file);
  const auto decode = [element = size_of(header.spec.dtype)](std::span<std::byte> bytes) {
    idx_to_native_order(bytes, element);
  };
  require_ends_with(path, header);
  return Dataset::from_source(make_array_source(path, header.spec, header.bytes, decode));
}

}  // namespace

Dataset idx(const std::string& images, const std::string& labels) {
  return labels.empty() ? one_file(images) : Dataset::zip(one_file(images), one_file(labels));
}

}  // namespace strata::loaders
