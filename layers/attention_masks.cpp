// SPDX-License-Identifier: Apache-2.0
#include "layers/attention_masks.h"

namespace strata {
namespace {

/// query - key, int32 (1, queries, keys).
Tensor distance(Dim queries, Dim keys) {
  return ops::iota({1, queries, 1}, 1, Dtype::int32) - ops::iota({1, 1, keys}, 2, Dtype::int32);
}

}  // namespace

Tensor causal_mask(Dim queries, Dim keys) {
  return ops::greater_equal(distance(queries, keys), scalar(0, Dtype::int32));
}

Tensor sliding_window_mask(Dim queries, Dim keys, Dim window) {
  return ops::less(ops::abs(distance(queries, keys)), scalar(static_cast<double>(window), Dtype::int32));
}

Tensor both_masks(const Tensor& a, const Tensor& b) {
  if (!a || !b) return a ? a : b;
  return ops::logical_and(ops::cast(a, Dtype::boolean), ops::cast(b, Dtype::boolean));
}

}  // namespace strata
