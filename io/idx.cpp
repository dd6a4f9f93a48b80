// SPDX-License-Identifier: Apache-2.0
#include "io/idx.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <bit>
#include <optional>

#include "core/base/error.h"
#include "io/input_file.h"

namespace strata {
namespace {

std::optional<Dtype> dtype_of_code(unsigned char code) {
  switch (code) {
    case 0x08: return Dtype::uint8;
    case 0x0C: return Dtype::int32;
    case 0x0D: return Dtype::float32;
    case 0x0E: return Dtype::float64;
    default: return std::nullopt;
  }
}

struct Magic {
  Dtype dtype;
  std::size_t rank;
};

Magic read_magic(InputFile& file) {
  std::array<unsigned char, 4> m{};
  const std::size_t got = file.read(m.data(), m.size());
  if (got < m.size()) throw IoError(file.path(), fmt::format("expected an IDX header, received {} bytes", got));
  if (m[0] != 0 || m[1] != 0) {
    throw IoError(file.path(), fmt::format("expected the magic number of an IDX file, 0x0000TTRR (TT element type, RR "
                                           "number of dimensions), received 0x{:02x}{:02x}{:02x}{:02x}",
                                           m[0], m[1], m[2], m[3]));
  }
  const auto dtype = dtype_of_code(m[2]);
  if (!dtype) {
    throw IoError(file.path(), fmt::format("expected element type 0x08 (uint8), 0x0c (int32), 0x0d (float32) or 0x0e "
                                           "(float64), received 0x{:02x}",
                                           m[2]));
  }
  return {*dtype, m[3]};
}

Shape read_shape(InputFile& file, std::size_t rank) {
  const auto bytes = file.read_exactly(4 * rank, "the IDX header");
  std::vector<Dim> dims(rank);
  for (std::size_t axis = 0; axis < rank; ++axis) {
    for (std::size_t i = 0; i < 4; ++i) dims[axis] = dims[axis] << 8 | std::to_integer<Dim>(bytes[4 * axis + i]);
  }
  return Shape(std::move(dims));
}

}  // namespace

void idx_to_native_order(std::span<std::byte> bytes, std::size_t element) {
  if (std::endian::native == std::endian::big || element == 1) return;
  for (auto at = bytes.begin(); at != bytes.end(); at += static_cast<std::ptrdiff_t>(element)) {
    std::reverse(at, at + static_cast<std::ptrdiff_t>(element));
  }
}

ArrayHeader read_idx_header(InputFile& file) {
  const Magic magic = read_magic(file);
  const TensorSpec spec{read_shape(file, magic.rank), magic.dtype};
  return make_array_header(file.path(), spec, 4 + 4 * magic.rank);
}

Tensor read_idx(const std::string& path) {
  InputFile file(path);
  const auto [spec, header_bytes, size] = read_idx_header(file);
  const Shape& shape = spec.shape;
  auto bytes = file.read_exactly(size, "the data of shape " + shape.str());
  std::byte extra{};
  if (file.read(&extra, 1) != 0) {
    throw IoError(path, fmt::format("expected {} bytes of data for shape {}, received more", size, shape.str()));
  }
  idx_to_native_order(bytes, size_of(spec.dtype));
  return constant_bytes(bytes.data(), bytes.size(), spec);
}

}  // namespace strata
