// SPDX-License-Identifier: Apache-2.0
// InputFile: the bytes of a file, unpacked when it is gzip.
#pragma once

#include <cstddef>
#include <memory>
#include <string>
#include <vector>

namespace strata {

/// Reads a file from its start to its end. A file that begins with gzip's magic bytes is unpacked on the way, whatever
/// its name. Every fault is an IoError naming the file: missing, a directory, unreadable, or gzip data that is cut
/// short, fails its checksum or has something else behind it. Not for use by several threads at once.
class InputFile {
 public:
  explicit InputFile(std::string path);
  ~InputFile();
  InputFile(InputFile&&) noexcept;
  InputFile& operator=(InputFile&&) noexcept;

  const std::string& path() const;
  /// Whether it is gzip.
  bool is_packed() const;
  /// Reads the next bytes into `to` and returns their number: less than `size` only at the end.
  std::size_t read(void* to, std::size_t size);
  /// The next `size` bytes. Memory grows with what really arrives, so a size read from a damaged header does no harm:
  /// IoError saying `what` is cut short when the file ends first.
  std::vector<std::byte> read_exactly(std::size_t size, const std::string& what);
  /// All that is left.
  std::vector<unsigned char> read_rest();

 private:
  struct Stream;
  std::unique_ptr<Stream> stream_;
};

}  // namespace strata
