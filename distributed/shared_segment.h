// SPDX-License-Identifier: Apache-2.0
// Memory that processes of one host share. It has no name in a file system, so nothing of it is left behind whatever
// happens to the processes, and /dev/shm may be small.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>

namespace strata {

/// Thread-safe but for close_file().
class SharedSegment {
 public:
  /// What another process needs to open it: plain bytes. All zero: no segment.
  struct Handle {
    std::int64_t pid = 0;
    std::int64_t file = 0;
    std::uint64_t number = 0;  // among those of the process
    std::uint64_t bytes = 0;
  };

  /// Zeroed and reserved, so that touching it cannot fail. Null when the system gives none: `error` says why.
  static std::shared_ptr<SharedSegment> create(std::size_t bytes, std::string& error);
  /// The segment that another process of this host, or this one, has created and not closed. Null when it cannot be
  /// opened.
  static std::shared_ptr<SharedSegment> open(const Handle& handle, std::string& error);
  ~SharedSegment();
  SharedSegment(const SharedSegment&) = delete;
  SharedSegment& operator=(const SharedSegment&) = delete;

  std::byte* data() const { return data_; }
  std::size_t bytes() const { return bytes_; }
  const Handle& handle() const { return handle_; }
  /// Once everybody has opened it.
  void close_file();

 private:
  SharedSegment(std::byte* data, std::size_t bytes) : data_(data), bytes_(bytes) {}
  static std::byte* map(int file, std::size_t bytes);

  std::byte* data_;
  std::size_t bytes_;
  Handle handle_;
  int file_ = -1;
};

}  // namespace strata
