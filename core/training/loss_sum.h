// SPDX-License-Identifier: Apache-2.0
// Internal: what one batch, or one block of it, adds to a reduced loss, and how weights and masks meet values.
#pragma once

#include "core/training/loss.h"

namespace strata {

struct LossSum {
  Tensor sum;           // of the weighted values that count: a scalar of y_pred's dtype
  bool divides = true;  // whether the sum over all blocks is divided: by `count` where there is one, else by `values`
  Tensor count = {};    // of what counts, where that depends on the data: a float64 scalar that adds up over blocks
  Dim values = 0;       // how many there are
};

/// `weights` and `mask` may be empty. Shapes must be known.
LossSum sum_loss(const LossFunction& loss, const Tensor& y_true, const Tensor& y_pred, const Tensor& weights,
                 const Tensor& mask);

/// Brings weights, or a mask, of shape (n,), (n, ..., 1) or the leading axes of `values` to the rank of `values`, with
/// axes of size 1, so that they broadcast. Throws ShapeError, beginning with `what`, when they do not fit.
Tensor fit_weights(const std::string& what, const Tensor& weights, const Tensor& values);

/// What losses and metrics are taken of: float32 in place of halves, as in Keras.
Tensor widened(const Tensor& x);

/// a / b; 0 where b is 0.
Tensor safe_quotient(const Tensor& a, const Tensor& b);

}  // namespace strata
