// SPDX-License-Identifier: Apache-2.0
// Internal: the seam between checkpoints and the disk, so that tests can make every operation fail, or undo what was
// not synchronised.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <vector>

namespace strata {

/// A new file. Not thread-safe. Every member throws IoError naming the file.
class OutputFile {
 public:
  virtual ~OutputFile() = default;  // closes it; a failure then is not reported
  /// Behind what was written before; all of it.
  virtual void append(std::span<const std::byte> bytes) = 0;
  /// The disk has the bytes when this returns; where the file's name leads to is the directory's business.
  virtual void synchronize() = 0;
  virtual void close() = 0;
};

/// Thread-safe. Every member throws IoError naming the path.
class FileSystem {
 public:
  virtual ~FileSystem() = default;
  /// Empty, also when there was one.
  virtual std::unique_ptr<OutputFile> create(const std::string& path) = 0;
  virtual std::uint64_t size(const std::string& path) = 0;
  /// `to.size()` bytes from `offset` on: all of them, or an IoError.
  virtual void read(const std::string& path, std::uint64_t offset, std::span<std::byte> to) = 0;
  virtual bool exists(const std::string& path) = 0;
  /// The names in a directory, sorted; none when there is no such directory.
  virtual std::vector<std::string> list(const std::string& directory) = 0;
  /// With those above it. Nothing happens when it is there.
  virtual void make_directory(const std::string& path) = 0;
  /// The disk has the names in it when this returns.
  virtual void synchronize_directory(const std::string& path) = 0;
  /// In place of what had the name, at once.
  virtual void rename(const std::string& from, const std::string& to) = 0;
  /// A file or an empty directory. Nothing happens when it is not there.
  virtual void remove(const std::string& path) = 0;
};

/// The machine's own. Lives for ever.
FileSystem& disk();

}  // namespace strata
