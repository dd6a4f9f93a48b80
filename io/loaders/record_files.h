// SPDX-License-Identifier: Apache-2.0
// Internal to loaders: files in which samples stand one after the other, all of one size.
#pragma once

#include <atomic>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "core/training/sample_source.h"
#include "io/array_header.h"
#include "io/loaders/mapped_file.h"

namespace strata::loaders {

/// Records of one file.
struct RecordRange {
  std::string path;
  std::size_t begin = 0;  // of the first, in bytes
  Dim records = 0;
};

/// The size in bytes of a regular file. Throws IoError when there is none.
std::size_t file_size(const std::string& path);

/// A file that is open for reading. Throws IoError when it cannot be opened.
class OpenFile {
 public:
  explicit OpenFile(const std::string& path);
  ~OpenFile();
  OpenFile(const OpenFile&) = delete;
  OpenFile& operator=(const OpenFile&) = delete;
  int descriptor() const { return descriptor_; }

 private:
  int descriptor_;
};

/// Thread-safe. A few files are opened once, when this is made; of many each is opened whenever it is read.
class RecordFiles {
 public:
  RecordFiles(const std::vector<RecordRange>& ranges, std::size_t record_bytes);
  RecordFiles(const RecordFiles&) = delete;
  RecordFiles& operator=(const RecordFiles&) = delete;

  Dim records() const { return records_; }
  std::size_t record_bytes() const { return record_bytes_; }
  const std::string& path() const { return files_[0].path; }
  const std::string& path_of(Dim record) const { return file_of(record).path; }
  /// Those of samples[i].row, one after the other; neighbours in the file are read in one go.
  void read(std::span<const SampleRef> samples, std::byte* to) const;
  /// Bytes of the first file, counted from its beginning.
  void read_range(std::size_t begin, std::size_t size, std::byte* to) const { read_bytes(files_[0], begin, size, to); }
  std::int64_t bytes_read() const { return bytes_read_.load(std::memory_order_relaxed); }

 private:
  struct File {
    std::string path;
    std::size_t begin;
    Dim first;  // record of all
    Dim records;
    std::unique_ptr<OpenFile> open;   // null where there are many files
    std::unique_ptr<MappedFile> map;  // null there, and where records are large
  };
  const File& file_of(Dim record) const;
  void read_run(Dim first, Dim count, bool mapped, std::byte* to) const;
  bool whole_maps() const;
  void read_bytes(const File& file, std::size_t at, std::size_t left, std::byte* to) const;

  std::vector<File> files_;
  std::size_t record_bytes_;
  Dim records_ = 0;
  mutable std::atomic<std::int64_t> bytes_read_{0};
};

/// What a sample of an array is. Throws IoError naming `path`, and `array` in it unless that is empty, for one that has
/// no axis 0.
TensorSpec sample_of(const std::string& path, const TensorSpec& spec, const std::string& array = "");

/// Throws IoError unless the file ends where the elements behind its header do.
void require_ends_with(const std::string& path, const ArrayHeader& header);

/// The samples of an array whose elements begin `begin` bytes into a file. `decode` turns bytes of the file, in place,
/// into elements; may be empty.
SampleSourceRef make_array_source(const std::string& path, const TensorSpec& spec, std::size_t begin,
                                  std::function<void(std::span<std::byte>)> decode = {}, const std::string& array = "");

}  // namespace strata::loaders
