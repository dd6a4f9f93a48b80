// SPDX-License-Identifier: Apache-2.0
#include "io/hdf5/file_seal.h"

#include <xxhash.h>

#include <array>
#include <cstdint>
#include <cstring>
#include <fstream>
#include <memory>
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

std::uint64_t checksum_of(std::ifstream& file, std::uint64_t bytes, const std::string& path) {
  const std::unique_ptr<XXH3_state_t, decltype(&XXH3_freeState)> state(XXH3_createState(), &XXH3_freeState);
  XXH3_64bits_reset(state.get());
  std::vector<char> piece(kPiece);
  file.seekg(0);
  while (bytes > 0) {
    const std::size_t size = std::min<std::uint64_t>(bytes, piece.size());
    if (!file.read(piece.data(), static_cast<std::streamsize>(size))) throw IoError(path, "cannot be read");
    XXH3_64bits_update(state.get(), piece.data(), size);
    bytes -= size;
  }
  return XXH3_64bits_digest(state.get());
}

std::uint64_t size_of_file(std::ifstream& file, const std::string& path) {
  file.seekg(0, std::ios::end);
  const std::streamoff size = file.tellg();
  if (!file || size < 0) throw IoError(path, "cannot be opened");
  return static_cast<std::uint64_t>(size);
}

}  // namespace

void seal_file(const std::string& path) {
  Seal seal;
  {
    std::ifstream file(path, std::ios::binary);
    const std::uint64_t bytes = size_of_file(file, path);
    seal.checksum = checksum_of(file, bytes, path);
  }
  std::ofstream file(path, std::ios::binary | std::ios::app);
  file.write(reinterpret_cast<const char*>(&seal), sizeof(seal));
  file.close();
  if (!file) throw IoError(path, "cannot be written");
}

void check_seal(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  const std::uint64_t size = size_of_file(file, path);
  if (size < sizeof(Seal)) return;
  Seal seal;
  const Seal expected;
  file.seekg(static_cast<std::streamoff>(size - sizeof(seal)));
  if (!file.read(reinterpret_cast<char*>(&seal), sizeof(seal)) || seal.mark != expected.mark) return;
  if (checksum_of(file, size - sizeof(seal), path) == seal.checksum) return;
  throw IoError(path, "is damaged: its bytes have another checksum than when it was written");
}

}  // namespace strata
