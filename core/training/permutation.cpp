// SPDX-License-Identifier: Apache-2.0
#include "core/training/permutation.h"

#include "core/base/philox.h"

namespace strata {

Permutation::Permutation(Dim n, std::uint64_t seed, std::uint64_t epoch) : n_(static_cast<std::uint64_t>(n)) {
  while (half_bits_ < 31 && (std::uint64_t{1} << (2 * half_bits_)) < n_) ++half_bits_;
  const PhiloxKey key{static_cast<std::uint32_t>(seed), static_cast<std::uint32_t>(seed >> 32)};
  for (std::uint32_t round = 0; round < kRounds; ++round) {
    const PhiloxCounter words = philox4x32(
        {static_cast<std::uint32_t>(epoch), static_cast<std::uint32_t>(epoch >> 32), round, 0x5065726Du}, key);
    keys_[round] = (std::uint64_t{words[0]} << 32) | words[1];
  }
}

std::uint64_t Permutation::encrypt(std::uint64_t x) const {
  const std::uint64_t mask = (std::uint64_t{1} << half_bits_) - 1;
  std::uint64_t left = x >> half_bits_;
  std::uint64_t right = x & mask;
  for (std::uint64_t key : keys_) {
    // A multiply-and-fold mix of the half and the round's key; the top bits of a product depend on all bits below.
    std::uint64_t mixed = (right ^ key) * 0x9E3779B97F4A7C15u;
    mixed = (mixed ^ (mixed >> 29)) * 0xBF58476D1CE4E5B9u;
    const std::uint64_t next = left ^ ((mixed >> 32) & mask);
    left = right;
    right = next;
  }
  return (left << half_bits_) | right;
}

Dim Permutation::operator()(Dim i) const {
  std::uint64_t x = static_cast<std::uint64_t>(i);
  do x = encrypt(x);
  while (x >= n_);
  return static_cast<Dim>(x);
}

}  // namespace strata
