// SPDX-License-Identifier: Apache-2.0
// Internal to loaders: files in which samples stand one after the other, all of one size.
#pragma once

#include <atomic>
#include <functional>
#include <string>
#include <vector>

#include "core/training/sample_source.h"

namespace strata::loaders {

/// Records of one file.
struct RecordRange {
  std::string path;
  std::size_t begin = 0;  // of the first, in bytes
  Dim records = 0;
};

/// The size in bytes of a regular file. Throws IoError when there is none.
std::size_t file_size(const std::string& path);

/// Thread-safe. Files are opened once, when this is made.
class RecordFiles {
 public:
  RecordFiles(const std::vector<RecordRange>& ranges, std::size_t record_bytes);
  ~RecordFiles();
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
    int descriptor;
  };
  const File& file_of(Dim record) const;
  void read_run(Dim first, Dim count, std::byte* to) const;
  void read_bytes(const File& file, std::size_t at, std::size_t left, std::byte* to) const;
  void close() noexcept;

  std::vector<File> files_;
  std::size_t record_bytes_;
  Dim records_ = 0;
  mutable std::atomic<std::int64_t> bytes_read_{0};
};

/// Records as the samples' only array. `decode` turns so many of them, in place, into elements; may be empty.
SampleSourceRef make_record_source(const std::vector<RecordRange>& ranges, const TensorSpec& row,
                                   std::function<void(std::byte*, Dim)> decode = {});

}  // namespace strata::loaders
