// SPDX-License-Identifier: Apache-2.0
// Internal to loaders: a file in the address space, for many small reads, which a system call each would make slow.
#pragma once

#include <atomic>
#include <cstddef>
#include <memory>

namespace strata::loaders {

/// Thread-safe. A page that cannot be read would end the program: each is asked for by a call that reports an error
/// before it is touched for the first time, and a file that has become shorter is not touched. (A page that the system
/// dropped, and that the disk then refuses, still is fatal.)
class MappedFile {
 public:
  /// The first `size` bytes of an open file. Nothing is mapped where it has fewer, or the system cannot.
  MappedFile(int descriptor, std::size_t size);
  ~MappedFile();
  MappedFile(const MappedFile&) = delete;
  MappedFile& operator=(const MappedFile&) = delete;

  /// Whether the file, open as `descriptor`, still has all of them. To be called before each group of copies.
  bool whole(int descriptor) const;
  /// Copies bytes [at, at + size). False when they cannot be had, or lie outside: then nothing was copied, and a system
  /// call will say why.
  bool copy(std::size_t at, std::size_t size, std::byte* to) const;

 private:
  bool present(std::size_t unit) const;

  const std::byte* data_ = nullptr;
  std::size_t size_;
  std::unique_ptr<std::atomic<bool>[]> present_;  // one a unit
};

}  // namespace strata::loaders
