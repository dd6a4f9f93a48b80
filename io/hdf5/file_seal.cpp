// SPDX-License-Identifier: Apache-2.0
#include "io/hdf5/file_seal.h"

#include <xxhash.h>

#include <algorithm>
#include <array>
#include <cstdint>
#include <fstream>
#include <memory>
#include <optional>
#include <vector>

#include "core/base/error.h"

namespace strata {
namespace {

constexpr std::size_t kPiece = std::size_t{1} << 20;

/// What is written: a mark, then the checksum (XXH3, 64 bits) as the machine has it.
struct Seal {
  std::array<char, 8> mark = {'s', 't', 'r', 'a', 't', 'a', 'x', '3'};
  std::uint64_t checksum = 0;
};

/// Of the first bytes of a file; empty when they cannot be read.
std::optional<std::uint64_t> checksum_of(std::ifstream& file, std::uint64_t bytes) {
  const std::unique_ptr<XXH3_state_t, decltype(&XXH3_freeState)> state(XXH3_createState(), &XXH3_freeState);
  XXH3_64bits_reset(state.get());
  std::vector<char> piece(kPiece);
  file.seekg(0);
  while (bytes > 0) {
    const std::size_t size = std::min<std::uint64_t>(bytes, piece.size());
    if (!file.read(piece.data(), static_cast<std::streamsize>(size))) return {};
    XXH3_64bits_update(state.get(), piece.data(), size);
    bytes -= size;
  }
  return XXH3_64bits_digest(state.get());
}

/// Empty for a file that is not there.
std::optional<std::uint64_t> size_of_file(std::ifstream& file) {
  file.seekg(0, std::ios::end);
  const std::streamoff size = file.tellg();
  if (!file || size < 0) return {};
  return static_cast<std::uint64_t>(size);
}

}  // namespace

bool seal_file(const std::string& path) {
  std::ifstream written(path, std::ios::binary);
  const auto size = size_of_file(written);
  const auto checksum = size ? checksum_of(written, *size) : std::nullopt;
  if (!checksum) return false;
  Seal seal;
  seal.checksum = *checksum;
  std::ofstream file(path, std::ios::binary | std::ios::app);
  file.write(reinterpret_cast<const char*>(&seal), sizeof(seal));
  file.close();
  return bool(file);
}

void check_seal(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  const auto size = size_of_file(file);
  if (!size) throw IoError(path, "cannot be opened");
  if (*size < sizeof(Seal)) return;
  Seal seal;
  const Seal expected;
  file.seekg(static_cast<std::streamoff>(*size - sizeof(seal)));
  if (!file.read(reinterpret_cast<char*>(&seal), sizeof(seal)) || seal.mark != expected.mark) return;
  const auto checksum = checksum_of(file, *size - sizeof(seal));
  if (!checksum) throw IoError(path, "cannot be read");
  if (*checksum == seal.checksum) return;
  throw IoError(path, "is damaged: its bytes have another checksum than when it was written");
}

}  // namespace strata
