// SPDX-License-Identifier: Apache-2.0
// Conversions of the numbers of 16 bits, over all their patterns, against the definition of the formats.
#include "core/base/half.h"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>

namespace strata {
namespace {

template <class T>
constexpr int kMantissaBits = std::is_same_v<T, Float16> ? 10 : 7;

template <class T>
T from_bits(unsigned bits) {
  T number;
  number.bits = static_cast<std::uint16_t>(bits);
  return number;
}

/// What a finite pattern means.
template <class T>
double meaning(unsigned bits) {
  constexpr int kBits = kMantissaBits<T>;
  constexpr int kBias = (1 << (14 - kBits)) - 1;
  const int exponent = static_cast<int>(bits & 0x7FFFu) >> kBits;
  const int mantissa = static_cast<int>(bits & ((1u << kBits) - 1u));
  const double size = exponent == 0 ? std::ldexp(mantissa, 1 - kBias - kBits)
                                    : std::ldexp(mantissa + (1 << kBits), exponent - kBias - kBits);
  return (bits & 0x8000u) != 0 ? -size : size;
}

template <class T>
class Half : public ::testing::Test {
 protected:
  static constexpr unsigned kInfinityBits = 0x7FFFu & ~((1u << kMantissaBits<T>)-1u);
};
using Halves = ::testing::Types<Float16, Bfloat16>;
TYPED_TEST_SUITE(Half, Halves);

TYPED_TEST(Half, EveryPatternIsItsNumberAndComesBack) {
  for (unsigned bits = 0; bits < 0x10000u; ++bits) {
    const float number = from_bits<TypeParam>(bits);
    if ((bits & 0x7FFFu) > this->kInfinityBits) {
      ASSERT_TRUE(std::isnan(number)) << bits;
      const unsigned back = TypeParam(number).bits;
      ASSERT_EQ(back, bits | (1u << (kMantissaBits<TypeParam> - 1))) << "a NaN comes back quiet, otherwise as it was";
      continue;
    }
    if ((bits & 0x7FFFu) == this->kInfinityBits) ASSERT_TRUE(std::isinf(number)) << bits;
    else ASSERT_EQ(static_cast<double>(number), meaning<TypeParam>(bits)) << bits;
    ASSERT_EQ(std::signbit(number), (bits & 0x8000u) != 0) << bits;
    ASSERT_EQ(TypeParam(number).bits, bits);
  }
}

// Between two neighbours lies the number where rounding changes; being monotonic, it is then right everywhere.
TYPED_TEST(Half, RoundsToTheNearestAndTiesToEven) {
  constexpr float kUp = std::numeric_limits<float>::infinity();
  for (unsigned bits = 0; bits < this->kInfinityBits; ++bits) {
    for (const unsigned sign : {0u, 0x8000u}) {
      const unsigned low = bits | sign, high = (bits + 1) | sign;
      const double next = bits + 1 < this->kInfinityBits
                              ? meaning<TypeParam>(high)
                              : 2 * meaning<TypeParam>(low) - meaning<TypeParam>(low - 1);  // were there one
      const auto middle = static_cast<float>((meaning<TypeParam>(low) + next) / 2);
      ASSERT_EQ(static_cast<double>(middle), (meaning<TypeParam>(low) + next) / 2) << "a float holds it";
      const float outwards = sign == 0 ? kUp : -kUp;
      ASSERT_EQ(TypeParam(middle).bits, (bits & 1u) == 0 ? low : high) << middle;
      ASSERT_EQ(TypeParam(std::nextafter(middle, 0.0f)).bits, low) << middle;
      ASSERT_EQ(TypeParam(std::nextafter(middle, outwards)).bits, high) << middle;
    }
  }
}

TYPED_TEST(Half, LargeAndSpecialNumbers) {
  constexpr float kInfinity = std::numeric_limits<float>::infinity();
  EXPECT_EQ(TypeParam(kInfinity).bits, this->kInfinityBits);
  EXPECT_EQ(TypeParam(-kInfinity).bits, this->kInfinityBits | 0x8000u);
  EXPECT_EQ(TypeParam(std::numeric_limits<float>::max()).bits, this->kInfinityBits);
  EXPECT_EQ(TypeParam(std::numeric_limits<float>::denorm_min()).bits, 0u);
  EXPECT_TRUE(std::isnan(TypeParam(std::numeric_limits<float>::quiet_NaN())));
}

}  // namespace
}  // namespace strata
