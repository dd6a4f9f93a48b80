// SPDX-License-Identifier: Apache-2.0
#include "io/npy_header.h"

#include <algorithm>
#include <array>
#include <charconv>

#include "core/base/error.h"

namespace strata {
namespace {

constexpr std::string_view kMagic = "\x93NUMPY";
constexpr std::size_t kLongest = std::size_t{1}
                                 << 16;  // of headers: NumPy itself refuses those above 10,000 characters

constexpr std::array<std::pair<std::string_view, Dtype>, 7> kTypes = {{{"|b1", Dtype::boolean},
                                                                       {"|u1", Dtype::uint8},
                                                                       {"<i4", Dtype::int32},
                                                                       {"<i8", Dtype::int64},
                                                                       {"<f2", Dtype::float16},
                                                                       {"<f4", Dtype::float32},
                                                                       {"<f8", Dtype::float64}}};

/// Reads a header, a dictionary of Python: {'descr': '<f4', 'fortran_order': False, 'shape': (3, 4), }.
class HeaderText {
 public:
  HeaderText(std::string text, std::string path, std::string array)
      : text_(std::move(text)), path_(std::move(path)), array_(std::move(array)) {}

  [[noreturn]] void fail(const std::string& what) const {
    throw IoError(path_, (array_.empty() ? "" : "array " + array_ + ": ") + what);
  }

  Dtype dtype() const {
    const std::string_view value = quoted(value_of("descr"));
    const auto found = std::find_if(kTypes.begin(), kTypes.end(), [&](const auto& t) { return t.first == value; });
    if (found != kTypes.end()) return found->second;
    fail("expected elements of type bool, uint8, int32, int64, float16, float32 or float64, received " +
         std::string(value.substr(0, 40)));
  }

  void require_rows_first() const {
    const std::string_view value = value_of("fortran_order");
    if (value.starts_with("True")) fail("its columns are first: expected rows first");
    if (!value.starts_with("False")) refuse();
  }

  Shape shape() const {
    std::string_view value = value_of("shape");
    if (!value.starts_with('(')) refuse();
    std::vector<Dim> dims;
    const char *at = value.data() + 1, *const end = value.data() + value.size();
    while (true) {
      while (at != end && *at == ' ') ++at;
      if (at == end) refuse();
      if (*at == ')') return Shape(std::move(dims));
      Dim dim = 0;
      const auto [next, error] = std::from_chars(at, end, dim);
      if (error != std::errc() || dim < 0) refuse();
      dims.push_back(dim);
      at = next;
      if (at != end && *at == ',') ++at;
      else if (at == end || *at != ')') refuse();
    }
  }

 private:
  [[noreturn]] void refuse() const { fail("expected a header of NumPy, received " + text_.substr(0, 200)); }

  /// What follows 'key': up to the end of the text.
  std::string_view value_of(const std::string& key) const {
    const std::string quoted_key = "'" + key + "':";
    const std::size_t at = text_.find(quoted_key);
    if (at == std::string::npos) refuse();
    std::string_view value = std::string_view(text_).substr(at + quoted_key.size());
    while (value.starts_with(' ')) value.remove_prefix(1);
    return value;
  }
  std::string_view quoted(std::string_view value) const {
    const std::size_t end = value.starts_with('\'') ? value.find('\'', 1) : std::string_view::npos;
    if (end == std::string_view::npos) refuse();
    return value.substr(1, end - 1);
  }

  std::string text_, path_, array_;
};

}  // namespace

ArrayHeader read_npy_header(const std::function<std::string(std::size_t)>& read, const std::string& path,
                            const std::string& array) {
  const HeaderText start("", path, array);
  const auto exactly = [&](std::size_t size) {
    std::string bytes = read(size);
    if (bytes.size() < size) start.fail("ends within its header");
    return bytes;
  };
  const std::string magic = read(8);
  if (magic.size() < 8 || !magic.starts_with(kMagic)) start.fail("is not an array of NumPy");
  const bool first_version = magic[6] == 1;
  const std::string length_bytes = exactly(first_version ? 2 : 4);
  std::size_t length = 0;
  for (std::size_t i = length_bytes.size(); i-- > 0;) {
    length = length << 8U | static_cast<unsigned char>(length_bytes[i]);
  }
  if (length > kLongest) {
    start.fail("expected a header of at most " + std::to_string(kLongest) + " bytes, received one of " +
               std::to_string(length));
  }
  const HeaderText header(exactly(length), path, array);
  header.require_rows_first();
  const TensorSpec spec{header.shape(), header.dtype()};
  return make_array_header(path, spec, magic.size() + length_bytes.size() + length, array);
}

std::string npy_header(const TensorSpec& spec) {
  const auto type = std::find_if(kTypes.begin(), kTypes.end(), [&](const auto& t) { return t.second == spec.dtype; });
  if (type == kTypes.end()) throw InternalError("NumPy has no type for " + std::string(to_string(spec.dtype)));
  std::string shape;
  for (const Dim dim : spec.shape) shape += std::to_string(dim) + ", ";
  std::string header =
      "{'descr': '" + std::string(type->first) + "', 'fortran_order': False, 'shape': (" + shape + "), }";
  header.append(63 - (10 + header.size()) % 64, ' ').append("\n");
  std::string bytes = std::string(kMagic) + std::string("\x01\x00", 2);
  bytes += static_cast<char>(header.size() & 0xFFU);
  bytes += static_cast<char>(header.size() >> 8U);
  return bytes + header;
}

}  // namespace strata
