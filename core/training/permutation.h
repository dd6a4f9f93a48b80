// SPDX-License-Identifier: Apache-2.0
// A keyed permutation of 0 .. n-1 that is computed, not stored: position i of an epoch is a function of (seed, epoch,
// i).
#pragma once

#include <array>
#include <cstdint>

#include "core/base/shape.h"

namespace strata {

/// A balanced Feistel network on the smallest even number of bits that holds n, walked until it lands below n (Black
/// and Rogaway, "Ciphers with arbitrary finite domains", 2002). Immutable; thread-safe. n >= 1.
class Permutation {
 public:
  Permutation(Dim n, std::uint64_t seed, std::uint64_t epoch);
  Dim operator()(Dim i) const;

 private:
  static constexpr int kRounds = 8;
  std::uint64_t encrypt(std::uint64_t x) const;

  std::uint64_t n_;
  int half_bits_ = 1;
  std::array<std::uint64_t, kRounds> keys_{};
};

}  // namespace strata
