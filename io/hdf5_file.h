// SPDX-License-Identifier: Apache-2.0
// Internal: HDF5 files as trees of groups, attributes of text, and arrays.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "core/tensor/tensor.h"

namespace strata {

/// A file being written. It appears under its name, whole, with commit(); without that nothing is left. Not
/// thread-safe. Every member throws IoError naming the file, and what in it.
class Hdf5Writer {
 public:
  explicit Hdf5Writer(const std::string& path);
  ~Hdf5Writer();
  Hdf5Writer(const Hdf5Writer&) = delete;
  Hdf5Writer& operator=(const Hdf5Writer&) = delete;

  /// With the groups above it, where they are missing. "/" is there from the start.
  void make_group(const std::string& group);
  /// A scalar of variable length: marked as UTF-8, as Python's str becomes, or as ASCII, as bytes do.
  void write_text(const std::string& group, const std::string& attribute, const std::string& text, bool utf8);
  /// A list of names of fixed length. One that is too large for an attribute is cut in several, `attribute` with 0, 1,
  /// ... behind it; an empty one is an empty list of float64, as Keras writes it.
  void write_names(const std::string& group, const std::string& attribute, const std::vector<std::string>& names);
  /// Computes `value` and writes it as an array "group/name"; the groups in between are made. bfloat16, which HDF5 does
  /// not have, becomes float32.
  void write_array(const std::string& group, const std::string& name, const Tensor& value);
  /// Writes everything to the disk and gives the file its name.
  void commit();

 private:
  std::string path_;
  std::string temporary_;
  std::int64_t file_ = -1;
};

/// A file being read. Not thread-safe. Every member throws IoError naming the file, and what in it.
class Hdf5Reader {
 public:
  explicit Hdf5Reader(const std::string& path);
  ~Hdf5Reader();
  Hdf5Reader(const Hdf5Reader&) = delete;
  Hdf5Reader& operator=(const Hdf5Reader&) = delete;

  const std::string& path() const { return path_; }
  bool has_group(const std::string& group) const;
  /// The names of the groups and arrays in a group, in the order of names.
  std::vector<std::string> members(const std::string& group) const;
  /// Of fixed or variable length. Empty when there is no such attribute.
  std::optional<std::string> text(const std::string& group, const std::string& attribute) const;
  /// Also one that was cut in several. Empty when there is no such attribute.
  std::optional<std::vector<std::string>> names(const std::string& group, const std::string& attribute) const;
  /// Floating numbers of 2, 4 or 8 bytes, integers, booleans.
  Tensor array(const std::string& group, const std::string& name) const;

 private:
  std::string path_;
  std::int64_t file_ = -1;
};

}  // namespace strata
