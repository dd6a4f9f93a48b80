// SPDX-License-Identifier: Apache-2.0
// The loops that softmax, log_softmax and their cross entropy share. Rows are taken in groups that fit the first-level
// cache, so that the exponentials of many short rows are one long vectorised loop.
#pragma once

#include "core/ops/reduction_loops.h"
#include "core/ops/registry.h"

namespace strata::softmax {

inline constexpr Dim kGroup = 2048;  // elements

/// How many rows of n elements are taken at once.
constexpr Dim group_rows(Dim n) { return n >= kGroup ? 1 : kGroup / (n > 0 ? n : 1); }
/// Elements of one group of (rows, n).
constexpr Dim group_elements(Dim rows, Dim n) { return std::min(rows, group_rows(n)) * n; }

// Ignores NaN, which the exponentials and their sum carry on anyway, and so takes one instruction.
struct QuickMax {
  template <class T>
  static constexpr T identity() {
    return -std::numeric_limits<T>::infinity();
  }
  template <class T>
  STRATA_INLINE static T apply(T a, T b) {
    return b > a ? b : a;
  }
};

/// out = x - max of its row, for x (rows, n).
template <class T>
STRATA_SIMD_CLONES void subtract_max(const T* x, T* out, Dim rows, Dim n) {
  for (Dim r = 0; r < rows; ++r, x += n, out += n) {
    const T max = reduce_row<QuickMax>(x, n);
#pragma GCC ivdep
    for (Dim i = 0; i < n; ++i) out[i] = x[i] - max;
  }
}

/// out = exp(x); in place allowed.
template <class T>
STRATA_SIMD_CLONES void exponentiate(const T* x, T* out, Dim n) {
#pragma GCC ivdep
  for (Dim i = 0; i < n; ++i) out[i] = vector_math::exp(x[i]);
}

/// Divides each row of x (rows, n) by its sum.
template <class T>
STRATA_SIMD_CLONES void divide_by_sum(T* x, Dim rows, Dim n) {
  for (Dim r = 0; r < rows; ++r, x += n) {
    const T sum = reduce_row<SumCombine>(static_cast<const T*>(x), n);
#pragma GCC ivdep
    for (Dim i = 0; i < n; ++i) x[i] /= sum;
  }
}

/// x[r] -= log(sum of exponentials[r]) for x, exponentials (rows, n).
template <class T>
STRATA_SIMD_CLONES void subtract_log_sum(T* x, const T* exponentials, Dim rows, Dim n) {
  for (Dim r = 0; r < rows; ++r, x += n, exponentials += n) {
    const T log_sum = vector_math::log(reduce_row<SumCombine>(exponentials, n));
#pragma GCC ivdep
    for (Dim i = 0; i < n; ++i) x[i] -= log_sum;
  }
}

/// Throws unless `x` is floating and has an axis; `op` names the caller.
void expect_logits(const char* op, const TensorSpec& x);
/// Swaps `axis` with the last one; gives x back when it is that.
Tensor to_last_axis(const Tensor& x, int axis, const char* op);
/// The examples of softmax and log_softmax.
std::vector<OpExample> examples(Tensor (*function)(const Tensor& x, int axis));

}  // namespace strata::softmax
