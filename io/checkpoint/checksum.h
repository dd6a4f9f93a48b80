// SPDX-License-Identifier: Apache-2.0
// Internal: checksums of checkpoints, XXH3 of 64 bits as 16 lower-case hexadecimal digits.
#pragma once

#include <cstddef>
#include <memory>
#include <span>
#include <string>

namespace strata {

inline constexpr std::size_t kChecksumDigits = 16;

std::string checksum(std::span<const std::byte> bytes);

/// Of bytes that come in pieces.
class RunningChecksum {
 public:
  RunningChecksum();
  ~RunningChecksum();
  void add(std::span<const std::byte> bytes);
  std::string text() const;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace strata
