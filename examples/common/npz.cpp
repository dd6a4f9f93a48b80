// SPDX-License-Identifier: Apache-2.0
// The format of the entries: https://numpy.org/doc/stable/reference/generated/numpy.lib.format.html
#include "common/npz.h"

#include <minizip/unzip.h>
#include <minizip/zip.h>

#include <algorithm>
#include <array>
#include <memory>
#include <regex>

namespace strata::examples {
namespace {

const std::string kMagic = "\x93NUMPY";
const std::string kSuffix = ".npy";

const std::array<std::pair<const char*, Dtype>, 7> kTypes = {{{"|b1", Dtype::boolean},
                                                              {"|u1", Dtype::uint8},
                                                              {"<i4", Dtype::int32},
                                                              {"<i8", Dtype::int64},
                                                              {"<f2", Dtype::float16},
                                                              {"<f4", Dtype::float32},
                                                              {"<f8", Dtype::float64}}};

/// The header says {'descr': '<f4', 'fortran_order': False, 'shape': (3, 4), }.
TensorSpec read_header(const std::string& header, const std::string& path, const std::string& name) {
  std::smatch type, order, shape;
  const bool whole = std::regex_search(header, type, std::regex("'descr': *'([^']*)'")) &&
                     std::regex_search(header, order, std::regex("'fortran_order': *(True|False)")) &&
                     std::regex_search(header, shape, std::regex("'shape': *\\(([0-9, ]*)\\)"));
  if (!whole) throw IoError(path, "array " + name + ": expected a header of NumPy, received " + header);
  const auto found =
      std::find_if(kTypes.begin(), kTypes.end(), [&](const auto& t) { return t.first == type[1].str(); });
  if (found == kTypes.end()) {
    throw IoError(path, "array " + name +
                            ": expected elements of type bool, uint8, int32, int64, float16, float32 or "
                            "float64, received " +
                            type[1].str());
  }
  if (order[1] == "True") throw IoError(path, "array " + name + " has its columns first: expected rows first");
  std::vector<Dim> dims;
  const std::string text = shape[1], digits = "0123456789";
  for (std::size_t at = text.find_first_of(digits); at != std::string::npos;) {
    std::size_t length = 0;
    dims.push_back(std::stoll(text.substr(at), &length));
    at = text.find_first_of(digits, at + length);
  }
  return {Shape(std::move(dims)), found->second};
}

Tensor read_npy(const std::string& bytes, const std::string& path, const std::string& name) {
  if (bytes.size() < 12 || !bytes.starts_with(kMagic)) throw IoError(path, "array " + name + " is not one of NumPy");
  const auto byte = [&](std::size_t i) { return static_cast<std::size_t>(static_cast<unsigned char>(bytes[i])); };
  const bool first_version = bytes[6] == 1;
  const std::size_t begin = first_version ? 10 : 12;
  const std::size_t length = byte(8) + (byte(9) << 8U) + (first_version ? 0 : (byte(10) << 16U) + (byte(11) << 24U));
  if (begin + length > bytes.size()) throw IoError(path, "array " + name + " ends within its header");
  const TensorSpec spec = read_header(bytes.substr(begin, length), path, name);
  const std::size_t data = begin + length;
  if (bytes.size() - data != spec.bytes()) {
    throw IoError(path, "array " + name + ": expected " + std::to_string(spec.bytes()) + " bytes for " + spec.str() +
                            ", received " + std::to_string(bytes.size() - data));
  }
  return constant_bytes(bytes.data() + data, spec.bytes(), spec);
}

std::string npy_bytes(const Tensor& value) {
  // NumPy has no bfloat16.
  const Tensor tensor = value.dtype() == Dtype::bfloat16 ? ops::cast(value, Dtype::float32) : value;
  const auto type =
      std::find_if(kTypes.begin(), kTypes.end(), [&](const auto& t) { return t.second == tensor.dtype(); });
  std::string shape;
  for (int i = 0; i < tensor.rank(); ++i) shape += std::to_string(tensor.shape()[i]) + ", ";
  std::string header =
      std::string("{'descr': '") + type->first + "', 'fortran_order': False, 'shape': (" + shape + "), }";
  header.append(63 - (10 + header.size()) % 64, ' ').append("\n");
  std::string bytes = kMagic + std::string("\x01\x00", 2);
  bytes += static_cast<char>(header.size() & 0xFFU);
  bytes += static_cast<char>(header.size() >> 8U);
  bytes += header;
  visit_element(tensor.dtype(), [&]<class T>(TypeTag<T>) {
    const auto values = tensor.to_vector<T>();
    for (const T element : values) bytes.append(reinterpret_cast<const char*>(&element), sizeof(T));
  });
  return bytes;
}

struct Closer {
  void operator()(void* file) const { unzClose(file); }
};

std::string read_entry(unzFile file, std::size_t size, const std::string& path, const std::string& name) {
  std::string bytes(size, '\0');
  std::size_t done = 0;
  if (unzOpenCurrentFile(file) != UNZ_OK) throw IoError(path, "array " + name + " cannot be opened");
  while (done < size) {
    const auto piece = static_cast<unsigned>(std::min<std::size_t>(size - done, 1U << 24U));
    const int got = unzReadCurrentFile(file, bytes.data() + done, piece);
    if (got <= 0) throw IoError(path, "array " + name + " cannot be read");
    done += static_cast<std::size_t>(got);
  }
  if (unzCloseCurrentFile(file) != UNZ_OK) throw IoError(path, "array " + name + " is damaged: its checksum differs");
  return bytes;
}

}  // namespace

std::map<std::string, Tensor> read_npz(const std::string& path) {
  const std::unique_ptr<void, Closer> file(unzOpen64(path.c_str()));
  if (file == nullptr) throw IoError(path, "cannot be opened as an .npz file");
  std::map<std::string, Tensor> arrays;
  for (int status = unzGoToFirstFile(file.get()); status == UNZ_OK; status = unzGoToNextFile(file.get())) {
    std::array<char, 1024> text{};
    unz_file_info64 info{};
    if (unzGetCurrentFileInfo64(file.get(), &info, text.data(), text.size() - 1, nullptr, 0, nullptr, 0) != UNZ_OK) {
      throw IoError(path, "its list of arrays cannot be read");
    }
    std::string name = text.data();
    if (name.ends_with(kSuffix)) name.resize(name.size() - kSuffix.size());
    arrays[name] = read_npy(read_entry(file.get(), info.uncompressed_size, path, name), path, name);
  }
  return arrays;
}

void write_npz(const std::string& path, const std::vector<std::pair<std::string, Tensor>>& arrays) {
  zipFile file = zipOpen64(path.c_str(), APPEND_STATUS_CREATE);
  bool done = file != nullptr;
  for (const auto& [name, tensor] : arrays) {
    const std::string bytes = done ? npy_bytes(tensor) : "";
    const zip_fileinfo info{};
    done = done && zipOpenNewFileInZip64(file, (name + kSuffix).c_str(), &info, nullptr, 0, nullptr, 0, nullptr, 0, 0,
                                         1) == ZIP_OK;
    for (std::size_t at = 0; done && at < bytes.size(); at += 1U << 24U) {
      const auto piece = static_cast<unsigned>(std::min<std::size_t>(bytes.size() - at, 1U << 24U));
      done = zipWriteInFileInZip(file, bytes.data() + at, piece) == ZIP_OK;
    }
    done = done && zipCloseFileInZip(file) == ZIP_OK;
  }
  if (file != nullptr && zipClose(file, nullptr) != ZIP_OK) done = false;
  if (!done) throw IoError(path, "cannot be written");
}

}  // namespace strata::examples
