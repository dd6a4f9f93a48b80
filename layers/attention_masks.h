// SPDX-License-Identifier: Apache-2.0
// The masks of attention scores: which query step may look at which key step.
#pragma once

#include "core/ops/ops.h"

namespace strata {

/// Bool (1, queries, keys): query i sees keys 0 to i. The sizes may be unknown.
Tensor causal_mask(Dim queries, Dim keys);
/// Bool (1, queries, keys): query i sees the keys less than `window` steps away, on either side.
Tensor sliding_window_mask(Dim queries, Dim keys, Dim window);
/// What both allow; an empty handle allows everything.
Tensor both_masks(const Tensor& a, const Tensor& b);

/// What Keras takes for minus infinity where a mask hides logits of this dtype before a softmax.
constexpr double large_negative(Dtype dtype) { return dtype == Dtype::float16 ? -3e4 : -1e9; }

}  // namespace strata
