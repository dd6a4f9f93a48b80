// SPDX-License-Identifier: Apache-2.0
// The loops of reductions. The order in which elements are combined is fixed by the sizes alone: partial results are
// kept in explicit arrays, which every instruction set fills with the same bits, and long runs are halved (pairwise),
// so that the rounding error of a sum grows with the logarithm of its length.
#pragma once

#include <algorithm>
#include <bit>
#include <limits>

#include "core/base/shape.h"
#include "core/base/simd.h"
#include "core/ops/vector_math.h"

namespace strata {

struct SumCombine {
  template <class T>
  static constexpr T identity() {
    return T{0};
  }
  template <class T>
  STRATA_INLINE static T apply(T a, T b) {
    return static_cast<T>(a + b);
  }
};

// NaN wins over every number.
struct MaxCombine {
  template <class T>
  static constexpr T identity() {
    if constexpr (std::numeric_limits<T>::has_infinity) return -std::numeric_limits<T>::infinity();
    else return std::numeric_limits<T>::lowest();
  }
  template <class T>
  STRATA_INLINE static T apply(T a, T b) {
    return b > a || b != b ? b : a;
  }
};

struct MinCombine {
  template <class T>
  static constexpr T identity() {
    if constexpr (std::numeric_limits<T>::has_infinity) return std::numeric_limits<T>::infinity();
    else return std::numeric_limits<T>::max();
  }
  template <class T>
  STRATA_INLINE static T apply(T a, T b) {
    return b < a || b != b ? b : a;
  }
};

inline constexpr Dim kLanes = 16;       // partial results of a row
inline constexpr Dim kRowRun = 2048;    // longer rows are halved
inline constexpr Dim kTile = 128;       // columns combined at once
inline constexpr Dim kColumnRun = 256;  // more rows are halved

/// Combines x (n), n <= kRowRun: in order when short, otherwise element i goes to partial result i mod kLanes.
template <class Combine, class T>
STRATA_INLINE T reduce_run(const T* x, Dim n) {
  if (n < 2 * kLanes) {
    T result = Combine::template identity<T>();
    for (Dim i = 0; i < n; ++i) result = Combine::apply(result, x[i]);
    return result;
  }
  T lanes[kLanes];
  for (Dim l = 0; l < kLanes; ++l) lanes[l] = x[l];
  Dim i = kLanes;
  for (; i + kLanes <= n; i += kLanes) {
    for (Dim l = 0; l < kLanes; ++l) lanes[l] = Combine::apply(lanes[l], x[i + l]);
  }
  for (Dim l = 0; i + l < n; ++l) lanes[l] = Combine::apply(lanes[l], x[i + l]);
  for (Dim width = kLanes / 2; width > 0; width /= 2) {
    for (Dim l = 0; l < width; ++l) lanes[l] = Combine::apply(lanes[l], lanes[l + width]);
  }
  return lanes[0];
}

/// Combines x (n) of any length.
template <class Combine, class T>
STRATA_INLINE T reduce_row(const T* x, Dim n) {
  // Runs of kRowRun elements, their results combined like the carries of a binary counter: partial[k] covers 2^k runs.
  T partial[48];
  Dim runs = 0;
  for (; n > kRowRun; n -= kRowRun, x += kRowRun) {
    T value = reduce_run<Combine>(x, kRowRun);
    int level = 0;
    for (; (runs >> level & 1) != 0; ++level) value = Combine::apply(partial[level], value);
    partial[level] = value;
    ++runs;
  }
  T result = reduce_run<Combine>(x, n);
  for (int level = 0; runs >> level != 0; ++level) {
    if ((runs >> level & 1) != 0) result = Combine::apply(partial[level], result);
  }
  return result;
}

/// x (rows, n) to out (rows).
template <class Combine, class T>
STRATA_SIMD_CLONES void reduce_rows(const T* x, T* out, Dim rows, Dim n) {
  for (Dim r = 0; r < rows; ++r) out[r] = reduce_row<Combine>(x + r * n, n);
}

/// Combines `rows` >= 1 rows of `width` <= kTile elements, `stride` apart, in order.
template <class Combine, class T>
STRATA_SIMD_CLONES void reduce_tile_run(const T* x, Dim rows, Dim stride, Dim width, T* out) {
  T partial[kTile];
  for (Dim c = 0; c < width; ++c) partial[c] = x[c];
  for (Dim r = 1; r < rows; ++r) {
    const T* row = x + r * stride;
    for (Dim c = 0; c < width; ++c) partial[c] = Combine::apply(partial[c], row[c]);
  }
  for (Dim c = 0; c < width; ++c) out[c] = partial[c];
}

/// out[i] = combine(out[i], x[i]).
template <class Combine, class T>
STRATA_SIMD_CLONES void combine_rows(T* out, const T* x, Dim n) {
#pragma GCC ivdep
  for (Dim i = 0; i < n; ++i) out[i] = Combine::apply(out[i], x[i]);
}

template <class Combine, class T>
void reduce_tile(const T* x, Dim rows, Dim stride, Dim width, T* out) {
  if (rows <= kColumnRun) return reduce_tile_run<Combine>(x, rows, stride, width, out);
  const Dim half = rows / 2;
  T second[kTile];
  reduce_tile<Combine>(x, half, stride, width, out);
  reduce_tile<Combine>(x + half * stride, rows - half, stride, width, second);
  combine_rows<Combine>(out, second, width);
}

/// x (n, inner) to out (inner), n >= 1.
template <class Combine, class T>
void reduce_columns(const T* x, T* out, Dim n, Dim inner) {
  // Several short rows are taken as one long row and folded at the end, so that narrow columns fill vectors too.
  Dim fold = inner <= kTile / 2 ? static_cast<Dim>(std::bit_floor(static_cast<std::uint64_t>(kTile / inner))) : 1;
  while (fold > 1 && n < 2 * fold) fold /= 2;
  const Dim width = fold * inner;
  const Dim rows = n / fold;
  if (fold == 1) {
    for (Dim c = 0; c < inner; c += kTile) reduce_tile<Combine>(x + c, n, inner, std::min(kTile, inner - c), out + c);
    return;
  }
  T partial[kTile];
  reduce_tile<Combine>(x, rows, width, width, partial);
  combine_rows<Combine>(partial, x + rows * width, (n - rows * fold) * inner);
  for (fold /= 2; fold > 0; fold /= 2) combine_rows<Combine>(partial, partial + fold * inner, fold * inner);
  std::copy_n(partial, inner, out);
}

/// x (outer, n, inner) to out (outer, inner).
template <class Combine, class T>
void reduce_pass(const void* from, void* to, Dim outer, Dim n, Dim inner) {
  const T* x = static_cast<const T*>(from);
  T* out = static_cast<T*>(to);
  if (n == 0) {
    std::fill_n(out, outer * inner, Combine::template identity<T>());
  } else if (inner == 1) {
    reduce_rows<Combine>(x, out, outer, n);
  } else {
    for (Dim o = 0; o < outer; ++o) reduce_columns<Combine>(x + o * n * inner, out + o * inner, n, inner);
  }
}

}  // namespace strata
