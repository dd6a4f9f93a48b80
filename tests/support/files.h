// SPDX-License-Identifier: Apache-2.0
// What tests write to disk.
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

namespace strata::testing {

using Bytes = std::vector<unsigned char>;

/// A new directory, removed with all it holds at the end of the scope.
class TemporaryDirectory {
 public:
  TemporaryDirectory();
  ~TemporaryDirectory();
  TemporaryDirectory(const TemporaryDirectory&) = delete;
  TemporaryDirectory& operator=(const TemporaryDirectory&) = delete;
  std::string path(const std::string& name = "") const { return (path_ / name).string(); }

 private:
  std::filesystem::path path_;
};

void write_file(const std::string& path, const Bytes& bytes);
/// The bytes of a file. Throws std::runtime_error when it cannot be read.
std::string read_text(const std::string& path);
/// One gzip member.
Bytes gzip(const Bytes& bytes);
/// An IDX file: the header of these dimensions, then `data` as it is.
Bytes idx(unsigned char type, const std::vector<std::uint32_t>& dims, const Bytes& data);
/// `n` bytes that repeat 0..modulus-1.
Bytes ramp(std::size_t n, int modulus);

}  // namespace strata::testing
