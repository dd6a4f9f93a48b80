// SPDX-License-Identifier: Apache-2.0
// The loop that sin and cos share: float angles up to vector_math::kMaxAngle by the vectorised polynomial, larger ones
// and doubles by the standard library. Which of the two computes an element depends on that element alone.
#pragma once

#include <algorithm>

#include "core/ops/elementwise.h"
#include "core/ops/vector_math.h"

namespace strata::detail {

constexpr Dim kAngleChunk = 256;

template <class F>
STRATA_SIMD_CLONES bool small_angles(const float* angles, float* results, Dim n) {
  int large = 0;
#pragma GCC ivdep
  for (Dim i = 0; i < n; ++i) {
    large |= std::fabs(angles[i]) <= vector_math::kMaxAngle ? 0 : 1;
    results[i] = F::vectorised(angles[i]);
  }
  return large == 0;
}

template <class F, class T>
void angle_loop(const void* const* inputs, void* output, Dim n) {
  const T* x = static_cast<const T*>(inputs[0]);
  T* out = static_cast<T*>(output);
  if constexpr (std::is_same_v<T, double>) {
    for (Dim i = 0; i < n; ++i) out[i] = F::exact(x[i]);
  } else {
    float results[kAngleChunk];  // apart from `out`, which may lie on the angles
    for (Dim first = 0; first < n; first += kAngleChunk) {
      const Dim count = std::min(kAngleChunk, n - first);
      if (!small_angles<F>(x + first, results, count)) {
        for (Dim i = 0; i < count; ++i) {
          if (!(std::fabs(x[first + i]) <= vector_math::kMaxAngle)) results[i] = F::exact(x[first + i]);
        }
      }
      std::copy_n(results, count, out + first);
    }
  }
}

template <class F>
ElementwiseLoop angle_loop_for(Dtype operand) {
  if (operand == Dtype::float32) return &angle_loop<F, float>;
  return operand == Dtype::float64 ? &angle_loop<F, double> : nullptr;
}

}  // namespace strata::detail
