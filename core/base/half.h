// SPDX-License-Identifier: Apache-2.0
// Numbers of 16 bits, which are only stored: arithmetic is done on the float that they convert to.
#pragma once

#include <bit>
#include <cstdint>
#include <type_traits>

namespace strata {

/// IEEE 754 binary16: 5 bits of exponent, 11 of precision. From float it rounds to nearest, ties to even.
struct Float16 {
  std::uint16_t bits = 0;

  Float16() = default;
  explicit Float16(float value);
  operator float() const;  // NOLINT(google-explicit-constructor): exact
};

/// The upper half of a float: 8 bits of exponent, 8 of precision. From float it rounds to nearest, ties to even.
struct Bfloat16 {
  std::uint16_t bits = 0;

  Bfloat16() = default;
  explicit Bfloat16(float value);
  operator float() const;  // NOLINT(google-explicit-constructor): exact
};

template <class T>
constexpr bool is_half_type = std::is_same_v<T, Float16> || std::is_same_v<T, Bfloat16>;
/// The type that elements of type T are computed in.
template <class T>
using Widened = std::conditional_t<is_half_type<T>, float, T>;

// All without branches, so that loops over them fill vectors, and without arithmetic on subnormal floats, which threads
// may flush to zero. NaNs stay quiet ones of the same sign.

inline Float16::Float16(float value) {
  const auto all = std::bit_cast<std::uint32_t>(value);
  const std::uint32_t size = all & 0x7FFFFFFFu;
  // The exponent's bias changes from 127 to 15; half of the last place kept, less one where that place is even.
  const std::uint32_t normal = (size - 0x38000000u + 0xFFFu + ((size >> 13) & 1u)) >> 13;
  // Below 2^-14 the last place is 2^-24, as that of a float in [0.5, 1): the addition rounds.
  const std::uint32_t subnormal = std::bit_cast<std::uint32_t>(std::bit_cast<float>(size) + 0.5f) - 0x3F000000u;
  const std::uint32_t special = size > 0x7F800000u ? 0x7E00u | ((size >> 13) & 0x1FFu) : 0x7C00u;
  const std::uint32_t finite = size < 0x38800000u ? subnormal : normal;
  bits = static_cast<std::uint16_t>((size >= 0x47800000u ? special : finite) | ((all >> 16) & 0x8000u));
}

inline Float16::operator float() const {
  const std::uint32_t size = (std::uint32_t{bits} & 0x7FFFu) << 13;
  const std::uint32_t normal = size + (size >= 0x0F800000u ? 0x70000000u : 0x38000000u);
  const float subnormal = std::bit_cast<float>(size + 0x38800000u) - 0x1p-14f;
  const std::uint32_t result = size < 0x00800000u ? std::bit_cast<std::uint32_t>(subnormal) : normal;
  return std::bit_cast<float>(result | ((std::uint32_t{bits} & 0x8000u) << 16));
}

inline Bfloat16::Bfloat16(float value) {
  const auto all = std::bit_cast<std::uint32_t>(value);
  const std::uint32_t rounded = (all + 0x7FFFu + ((all >> 16) & 1u)) >> 16;
  const std::uint32_t nan = (all >> 16) | 0x40u;
  bits = static_cast<std::uint16_t>((all & 0x7FFFFFFFu) > 0x7F800000u ? nan : rounded);
}

inline Bfloat16::operator float() const { return std::bit_cast<float>(std::uint32_t{bits} << 16); }

}  // namespace strata
