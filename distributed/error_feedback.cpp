// SPDX-License-Identifier: Apache-2.0
#include "distributed/error_feedback.h"

#include <cmath>

#include "core/base/simd.h"

namespace strata {
namespace {

/// What rounding `value` to `rounded` takes away.
inline float lost(float value, float rounded) {
  const float difference = value - rounded;
  return std::fabs(difference) <= std::fabs(value) ? difference : 0.0F;  // also when it is no number
}

}  // namespace

STRATA_SIMD_CLONES void encode_with_feedback(Bfloat16* __restrict to, const float* __restrict values,
                                             float* __restrict errors, std::size_t count) {
  for (std::size_t i = 0; i < count; ++i) {
    const float value = values[i] + errors[i];
    to[i] = Bfloat16(value);
    errors[i] = lost(value, to[i]);
  }
}

STRATA_SIMD_CLONES void round_with_feedback(float* __restrict values, float* __restrict errors, std::size_t count) {
  for (std::size_t i = 0; i < count; ++i) {
    const float value = values[i] + errors[i];
    values[i] = Bfloat16(value);
    errors[i] = lost(value, values[i]);
  }
}

STRATA_SIMD_CLONES void encode(Bfloat16* __restrict to, const float* __restrict values, std::size_t count) {
  for (std::size_t i = 0; i < count; ++i) to[i] = Bfloat16(values[i]);
}

STRATA_SIMD_CLONES void decode(float* __restrict to, const Bfloat16* __restrict from, std::size_t count) {
  for (std::size_t i = 0; i < count; ++i) to[i] = from[i];
}

}  // namespace strata
