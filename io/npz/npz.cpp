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
    std::error_code failed;
    bytes_ = std::filesystem::file_size(path, failed);
    if (failed) throw IoError(path, "cannot be opened: " + failed.message());
  }

  [[noreturn]] void fail(const std::string& what) const { throw IoError(path_, what); }
  const std::string& path() const { return path_; }

  /// Calls `entry(name)` for every one that is `wanted(name)`, open.
  void visit(const std::function<bool(const std::string&)>& wanted,
             const std::function<void(const std::string&)>& entry) {
    unz_global_info64 all{};
    if (unzGetGlobalInfo64(file_.get(), &all) != UNZ_OK) fail("its list of arrays cannot be read");
    std::uintmax_t left = bytes_;
    for (ZPOS64_T i = 0; i < all.number_entry; ++i) {
      go_to(i);
      if (!wanted(name_)) continue;
      // Else a small file could hold one large array a thousand times.
      if (info_.compressed_size > left) fail("its arrays have more bytes than the file: they lie over each other");
      left -= info_.compressed_size;
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

  ArrayHeader read_header() {
    return read_npy_header([this](std::size_t size) { return read(size); }, path_, name_);
  }
  Tensor read_array() {
    const ArrayHeader header = read_header();
    const std::string bytes = read(header.data_bytes);
    const std::size_t more = read(1).size();
    if (bytes.size() == header.data_bytes && more == 0) return constant_bytes(bytes.data(), bytes.size(), header.spec);
    fail("array " + name_ + ": expected " + std::to_string(header.data_bytes) + " bytes for " + header.spec.str() +
         ", received " + (more == 0 ? std::to_string(bytes.size()) : "more"));
  }
  NpzEntry describe() {
    const auto begin = static_cast<std::size_t>(unzGetCurrentFileZStreamPos64(file_.get()));
    const ArrayHeader header = read_header();
    const bool packed = info_.compression_method != 0;
    if (!packed && info_.uncompressed_size != header.bytes + header.data_bytes) {
      fail("array " + name_ + ": expected " + std::to_string(header.data_bytes) + " bytes for " + header.spec.str() +
           ", received " + std::to_string(info_.uncompressed_size));
    }
    return {header.spec, packed, begin + header.bytes};
  }

 private:
  /// Entry i, behind the one that it is at.
  void go_to(ZPOS64_T i) {
    std::array<char, 1024> text{};
    const int status = i == 0 ? unzGoToFirstFile(file_.get()) : unzGoToNextFile(file_.get());
    if (status != UNZ_OK ||
        unzGetCurrentFileInfo64(file_.get(), &info_, text.data(), text.size() - 1, nullptr, 0, nullptr, 0) != UNZ_OK) {
      fail("its list of arrays is damaged at the " + std::to_string(i + 1) + ". of them");
    }
    name_ = text.data();
    if (name_.ends_with(kSuffix)) name_.resize(name_.size() - kSuffix.size());
  }

  std::string path_;
  std::unique_ptr<void, Closer> file_;
  std::uintmax_t bytes_ = 0;
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
  archive.visit([](const std::string&) { return true; },
                [&](const std::string& name) { arrays[name] = archive.read_array(); });
  return arrays;
}

std::map<std::string, NpzEntry> find_in_npz(const std::string& path, const std::set<std::string>& names) {
  std::map<std::string, NpzEntry> entries;
  Archive archive(path);
  archive.visit([&](const std::string& name) { return names.contains(name); },
                [&](const std::string& name) { entries[name] = archive.describe(); });
  for (const std::string& name : names) {
    if (!entries.contains(name)) archive.fail("expected an array \"" + name + "\"");
  }
  return entries;
}

Tensor read_npz_array(const std::string& path, const std::string& name) {
  Tensor found;
  Archive archive(path);
  archive.visit([&](const std::string& entry) { return entry == name; },
                [&](const std::string&) { found = archive.read_array(); });
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
