// SPDX-License-Identifier: Apache-2.0
#include "io/npz.h"

#include <minizip/unzip.h>
#include <minizip/zip.h>

#include <algorithm>
#include <array>
#include <filesystem>
#include <functional>
#include <memory>

#include "core/base/error.h"
#include "core/ops/ops.h"
#include "io/npy_header.h"

namespace strata {
namespace {

const std::string kSuffix = ".npy";
constexpr std::size_t kPiece = std::size_t{1} << 24U;

struct Closer {
  void operator()(void* file) const { unzClose(file); }
};

/// An archive, open at one of its entries.
class Archive {
 public:
  explicit Archive(const std::string& path) : path_(path), file_(unzOpen64(path.c_str())) {
    if (file_ == nullptr) throw IoError(path, "cannot be opened as an .npz file");
  }

  [[noreturn]] void fail(const std::string& what) const { throw IoError(path_, what); }
  const std::string& path() const { return path_; }

  /// Calls `entry(name)` for every one, open.
  void visit(const std::function<void(const std::string&)>& entry) {
    for (int status = unzGoToFirstFile(file_.get()); status == UNZ_OK; status = unzGoToNextFile(file_.get())) {
      std::array<char, 1024> text{};
      if (unzGetCurrentFileInfo64(file_.get(), &info_, text.data(), text.size() - 1, nullptr, 0, nullptr, 0) !=
          UNZ_OK) {
        fail("its list of arrays cannot be read");
      }
      name_ = text.data();
      if (name_.ends_with(kSuffix)) name_.resize(name_.size() - kSuffix.size());
      if (unzOpenCurrentFile(file_.get()) != UNZ_OK) fail("array " + name_ + " cannot be opened");
      entry(name_);
      if (unzCloseCurrentFile(file_.get()) != UNZ_OK) fail("array " + name_ + " is damaged: its checksum differs");
    }
  }

  /// The next bytes of the entry, fewer only at its end.
  std::string read(std::size_t size) {
    std::string bytes;
    while (bytes.size() < size) {
      const std::size_t have = bytes.size();
      bytes.resize(std::min(size, have + kPiece));
      const int got = unzReadCurrentFile(file_.get(), bytes.data() + have, static_cast<unsigned>(bytes.size() - have));
      if (got < 0) fail("array " + name_ + " cannot be read");
      bytes.resize(have + static_cast<std::size_t>(got));
      if (got == 0) break;
    }
    return bytes;
  }

  NpyHeader read_header() {
    return read_npy_header([this](std::size_t size) { return read(size); }, path_, name_);
  }
  Tensor read_array() {
    const NpyHeader header = read_header();
    const std::string bytes = read(header.data_bytes);
    const std::size_t more = read(1).size();
    if (bytes.size() == header.data_bytes && more == 0) return constant_bytes(bytes.data(), bytes.size(), header.spec);
    fail("array " + name_ + ": expected " + std::to_string(header.data_bytes) + " bytes for " + header.spec.str() +
         ", received " + (more == 0 ? std::to_string(bytes.size()) : "more"));
  }
  NpzEntry describe() {
    const auto begin = static_cast<std::size_t>(unzGetCurrentFileZStreamPos64(file_.get()));
    const NpyHeader header = read_header();
    const bool packed = info_.compression_method != 0;
    if (!packed && info_.uncompressed_size != header.bytes + header.data_bytes) {
      fail("array " + name_ + ": expected " + std::to_string(header.data_bytes) + " bytes for " + header.spec.str() +
           ", received " + std::to_string(info_.uncompressed_size));
    }
    return {header.spec, packed, begin + header.bytes};
  }

 private:
  std::string path_;
  std::unique_ptr<void, Closer> file_;
  unz_file_info64 info_{};
  std::string name_;
};

std::string npy_bytes(const Tensor& value) {
  // NumPy has no bfloat16.
  const Tensor tensor = value.dtype() == Dtype::bfloat16 ? ops::cast(value, Dtype::float32) : value;
  std::string bytes = npy_header(tensor.spec());
  visit_element(tensor.dtype(), [&]<class T>(TypeTag<T>) {
    const auto values = tensor.to_vector<T>();
    for (const T element : values) bytes.append(reinterpret_cast<const char*>(&element), sizeof(T));
  });
  return bytes;
}

}  // namespace

std::map<std::string, Tensor> read_npz(const std::string& path) {
  std::map<std::string, Tensor> arrays;
  Archive archive(path);
  archive.visit([&](const std::string& name) { arrays[name] = archive.read_array(); });
  return arrays;
}

std::map<std::string, NpzEntry> list_npz(const std::string& path) {
  std::map<std::string, NpzEntry> entries;
  Archive archive(path);
  archive.visit([&](const std::string& name) { entries[name] = archive.describe(); });
  return entries;
}

Tensor read_npz_array(const std::string& path, const std::string& name) {
  Tensor found;
  Archive archive(path);
  archive.visit([&](const std::string& entry) {
    if (entry == name) found = archive.read_array();
  });
  if (!found) archive.fail("expected an array \"" + name + "\"");
  return found;
}

void write_npz(const std::string& path, const std::vector<std::pair<std::string, Tensor>>& arrays) {
  zipFile file = zipOpen64(path.c_str(), APPEND_STATUS_CREATE);
  bool done = file != nullptr;
  for (const auto& [name, tensor] : arrays) {
    const std::string bytes = done ? npy_bytes(tensor) : "";
    const zip_fileinfo info{};
    done = done && zipOpenNewFileInZip64(file, (name + kSuffix).c_str(), &info, nullptr, 0, nullptr, 0, nullptr, 0, 0,
                                         1) == ZIP_OK;
    for (std::size_t at = 0; done && at < bytes.size(); at += kPiece) {
      const auto piece = static_cast<unsigned>(std::min(bytes.size() - at, kPiece));
      done = zipWriteInFileInZip(file, bytes.data() + at, piece) == ZIP_OK;
    }
    done = done && zipCloseFileInZip(file) == ZIP_OK;
  }
  if (file != nullptr && zipClose(file, nullptr) != ZIP_OK) done = false;
  if (!done) throw IoError(path, "cannot be written");
}

}  // namespace strata
