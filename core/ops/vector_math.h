// SPDX-License-Identifier: Apache-2.0
// Transcendental functions that compilers vectorise: straight-line code without calls or tables, inlined into the loops
// of elementwise ops. The float versions are minimax polynomials after the usual range reductions, within 2 to 3 units
// in the last place of the true value; they use no fused multiply-add, so every instruction set gives the same bits.
// Results below the smallest normal number may be flushed to zero. The double versions are those of the standard
// library.
#pragma once

#include <bit>
#include <cmath>
#include <cstdint>
#include <limits>

#define STRATA_INLINE [[gnu::always_inline]] inline

namespace strata::vector_math {

/// c[0] + c[1] x + c[2] x^2 + ..., by Horner's rule.
template <class First, class... Rest>
STRATA_INLINE float polynomial(float x, First first, Rest... rest) {
  if constexpr (sizeof...(rest) == 0) return first;
  else return first + x * polynomial(x, rest...);
}

/// 2^k for k in [-126, 127]; garbage otherwise.
STRATA_INLINE float power_of_two(std::uint32_t k) { return std::bit_cast<float>((k + 127u) << 23); }

/// x = n ln 2 + r with whole n and |r| <= ln(2) / 2, for |x| < 2^15. With NaN, r is NaN and n anything.
struct ExponentParts {
  std::int32_t n;
  float r;
};
STRATA_INLINE ExponentParts split_exponent(float x) {
  constexpr float kRound = 0x1.8p23f;  // adding it leaves the nearest whole number in the low bits
  const float shifted = x * 0x1.715476p0f + kRound;
  const float n = shifted - kRound;
  const auto bits = std::bit_cast<std::uint32_t>(shifted) - std::bit_cast<std::uint32_t>(kRound);
  // ln 2 in two parts, the first short enough that n times it is exact.
  return {static_cast<std::int32_t>(bits), (x - n * 0x1.62ep-1f) - n * 0x1.0bfbe8p-15f};
}

STRATA_INLINE float exp(float x) {
  const float low = x < -104.0f ? -104.0f : x;
  const auto [n, r] = split_exponent(low > 89.0f ? 89.0f : low);
  const float q = polynomial(r, 0x1.fffffcp-2f, 0x1.555492p-3f, 0x1.5558dcp-5f, 0x1.1239d4p-7f, 0x1.6a327cp-10f);
  const std::int32_t half = n >> 1;  // 2^n itself would overflow before the result does
  return (1.0f + (r + r * r * q)) * power_of_two(static_cast<std::uint32_t>(half)) *
         power_of_two(static_cast<std::uint32_t>(n - half));
}

/// exp(x) - 1.
STRATA_INLINE float expm1(float x) {
  const float low = x < -18.0f ? -18.0f : x;
  const auto [n, r] = split_exponent(low > 89.0f ? 89.0f : low);
  const float q =
      polynomial(r, 0x1.0p-1f, 0x1.555554p-3f, 0x1.5554b0p-5f, 0x1.11118ap-7f, 0x1.6d725ep-10f, 0x1.a033a4p-13f);
  const float half_scale = power_of_two(static_cast<std::uint32_t>(n) - 1u);
  const float result = 2.0f * (half_scale * (r + r * r * q) + (half_scale - 0.5f));
  return std::fabs(x) < 0x1p-24f ? x : result;
}

STRATA_INLINE float log(float x) {
  const bool small = x < std::numeric_limits<float>::min();
  const float scaled = x * 0x1p23f;
  const auto bits = std::bit_cast<std::uint32_t>(small ? scaled : x);
  // x = 2^n m with m in [sqrt(1/2), sqrt(2)).
  constexpr std::uint32_t kRootHalf = 0x3F3504F3u;
  const auto n = static_cast<std::int32_t>(bits - kRootHalf) >> 23;
  const float m = std::bit_cast<float>(bits - (static_cast<std::uint32_t>(n) << 23));
  const float exponent = static_cast<float>(n - (small ? 23 : 0));
  const float f = m - 1.0f;
  const float q = polynomial(f, 0x1.555548p-2f, -0x1.000006p-2f, 0x1.99a46cp-3f, -0x1.555c56p-3f, 0x1.233c7ep-3f,
                             -0x1.fc2704p-4f, 0x1.e6b1fcp-4f, -0x1.de07a0p-4f, 0x1.14990ep-4f);
  const float square = f * f;
  const float result = (f - (0.5f * square - (f * square * q + exponent * 0x1.0bfbe8p-15f))) + exponent * 0x1.62ep-1f;
  const float finite = x < std::numeric_limits<float>::infinity() ? result : x;  // infinity and NaN stay
  const float positive = x == 0.0f ? -std::numeric_limits<float>::infinity() : finite;
  return x < 0.0f ? std::numeric_limits<float>::quiet_NaN() : positive;
}

/// log(1 + x).
STRATA_INLINE float log1p(float x) {
  const float u = 1.0f + x;
  const float lost = x > 1.0f ? 1.0f - (u - x) : x - (u - 1.0f);  // what rounding took from u
  const float result = log(u) + (u > 0.0f ? lost / u : 0.0f);
  const float finite = x < std::numeric_limits<float>::infinity() ? result : x;
  return std::fabs(x) < 0x1p-24f ? x : finite;
}

STRATA_INLINE float tanh(float x) {
  const float e = expm1(-2.0f * std::fabs(x));  // in (-1, 0]: cannot overflow
  return std::copysign(e / (e + 2.0f), x);
}

/// 1 / (1 + exp(-x)).
STRATA_INLINE float sigmoid(float x) {
  const float e = exp(-std::fabs(x));
  return (x < 0.0f ? e : 1.0f) / (1.0f + e);
}

/// log(1 + exp(x)).
STRATA_INLINE float softplus(float x) { return (x > 0.0f ? x : 0.0f) + log1p(exp(-std::fabs(x))); }

STRATA_INLINE float erf(float x) {
  const float t = std::fabs(x);
  const float s = t * t;
  const float inner = x * (1.0f + polynomial(s, 0x1.06eba8p-3f, -0x1.81273ep-2f, 0x1.ce2cf8p-4f, -0x1.b7f90cp-6f,
                                             0x1.5405b2p-8f, -0x1.a3f6fcp-11f, 0x1.496a2ap-14f));
  const float clamped = t > 4.0f ? 4.0f : t;  // erf(4) rounds to 1
  const float log_erfc = polynomial(clamped, -0x1.5026bep-12f, -0x1.208e52p0f, -0x1.46a98ap-1f, -0x1.a6c818p-4f,
                                    0x1.66a3bcp-6f, -0x1.83fcc8p-9f, 0x1.896f44p-13f);
  const float outer = std::copysign(1.0f - exp(log_erfc), x);
  return t < 1.0f ? inner : outer;
}

/// x = quadrant pi / 2 + r with |r| <= pi / 4, for |x| <= kMaxAngle.
struct AngleParts {
  std::uint32_t quadrant;
  float r;
};
inline constexpr float kMaxAngle = 0x1p22f;
STRATA_INLINE AngleParts split_angle(float x) {
  constexpr double kRound = 0x1.8p52;
  const double angle = x;
  const double shifted = angle * 0x1.45f306dc9c883p-1 + kRound;
  const double n = shifted - kRound;
  // pi / 2 in two parts, the first short enough that n times it is exact.
  const double r = (angle - n * 0x1.921fb544p0) - n * 0x1.0b4611a626331p-34;
  return {static_cast<std::uint32_t>(std::bit_cast<std::uint64_t>(shifted)), static_cast<float>(r)};
}

/// sin(quadrant pi / 2 + r).
STRATA_INLINE float sin_of(AngleParts parts) {
  const float z = parts.r * parts.r;
  const float sine = parts.r + parts.r * z * polynomial(z, -0x1.555546p-3f, 0x1.11075cp-7f, -0x1.994cd4p-13f);
  const float cosine = 1.0f - (0.5f * z - z * z * polynomial(z, 0x1.55554ap-5f, -0x1.6c0c94p-10f, 0x1.9a03acp-16f));
  const float magnitude = (parts.quadrant & 1u) != 0 ? cosine : sine;
  return std::bit_cast<float>(std::bit_cast<std::uint32_t>(magnitude) ^ ((parts.quadrant & 2u) << 30));
}

/// For |x| <= kMaxAngle.
STRATA_INLINE float sin(float x) { return sin_of(split_angle(x)); }
STRATA_INLINE float cos(float x) {
  const auto [quadrant, r] = split_angle(x);
  return sin_of({quadrant + 1u, r});
}

STRATA_INLINE double exp(double x) { return std::exp(x); }
STRATA_INLINE double expm1(double x) { return std::expm1(x); }
STRATA_INLINE double log(double x) { return std::log(x); }
STRATA_INLINE double log1p(double x) { return std::log1p(x); }
STRATA_INLINE double tanh(double x) { return std::tanh(x); }
STRATA_INLINE double erf(double x) { return std::erf(x); }
STRATA_INLINE double sigmoid(double x) {
  const double e = std::exp(-std::fabs(x));
  return (x < 0.0 ? e : 1.0) / (1.0 + e);
}
STRATA_INLINE double softplus(double x) { return (x > 0.0 ? x : 0.0) + std::log1p(std::exp(-std::fabs(x))); }

}  // namespace strata::vector_math
