// SPDX-License-Identifier: Apache-2.0
// Internal to loaders: arrays of equal names in several HDF5 files as rows, one file after the other.
#pragma once

#include <atomic>
#include <list>
#include <string>
#include <vector>

#include "core/program/blocks.h"
#include "core/tensor/tensor.h"
#include "io/hdf5/handle.h"

namespace strata::loaders {

/// Thread-safe. A few files are kept open.
class Hdf5Rows {
 public:
  /// Looks into every file. Throws IoError naming the file for arrays that are not there, have no rows, or differ in
  /// their numbers of rows, and for files that differ.
  Hdf5Rows(const std::vector<std::string>& paths, const std::vector<std::string>& arrays);

  std::size_t size() const { return paths_.size(); }
  const std::string& path(std::size_t file) const { return paths_[file]; }
  /// The row at which a file begins; for size() the number of all rows.
  Dim first(std::size_t file) const { return first_[file]; }
  Dim count() const { return first_.back(); }
  std::size_t file_of(Dim row) const;
  /// Of each array.
  const std::vector<TensorSpec>& rows() const { return rows_; }
  /// The rows of a stored chunk of the first array in the first file; 1 where it has none.
  Dim chunk_rows() const { return chunk_rows_; }
  /// Whether filters keep single rows from being read.
  bool packed() const { return packed_; }

  /// Rows of an array, counted from the file's first.
  void read(std::size_t file, std::size_t array, IndexRange rows, std::byte* to) const;
  std::int64_t bytes_read() const { return bytes_read_.load(std::memory_order_relaxed); }

 private:
  struct Open {
    std::size_t index;
    Hdf5Id file;
    std::vector<Hdf5Id> arrays;
  };
  Open open(std::size_t index) const;
  const Open& opened(std::size_t index) const;
  void look_into(std::size_t index);
  TensorSpec spec_of(const Open& file, std::size_t array) const;

  std::vector<std::string> paths_;
  std::vector<std::string> arrays_;
  std::vector<Dim> first_{0};
  std::vector<TensorSpec> rows_;
  Dim chunk_rows_ = 1;
  bool packed_ = false;
  mutable std::list<Open> open_;  // the last used first
  mutable std::atomic<std::int64_t> bytes_read_{0};
};

}  // namespace strata::loaders
