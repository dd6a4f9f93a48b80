// SPDX-License-Identifier: Apache-2.0
// What the gates of recurrent cells compute from the products of input and state, each as one op: one pass over memory
// in place of some twenty, most of which would copy parts of a row. All of one floating dtype, x and r of one shape;
// gates are parts of the last axis. Differentiable any number of times. Throw ShapeError, DtypeError.
#pragma once

#include <vector>

#include "core/tensor/tensor.h"

namespace strata::ops {

/// x, r (..., 4 units), c (..., units) -> {h', c', activated}: with [i f g o] = x + r, c' = s(f) c + s(i) tanh(g) and
/// h' = s(o) tanh(c'), s the sigmoid. activated (..., 5 units) = [s(i) s(f) tanh(g) s(o) tanh(c')], for the gradient.
std::vector<Tensor> lstm_gates(const Tensor& x, const Tensor& r, const Tensor& c);
/// {gradient in x and in r, gradient in c}, given those of h' and c'.
std::vector<Tensor> lstm_gates_backward(const Tensor& activated, const Tensor& c, const Tensor& dh, const Tensor& dc);

/// x, r (..., 3 units), h (..., units) -> {h', activated}: with z = s(xz + rz), q = s(xq + rq) and
/// g = tanh(xg + q rg), in this order of parts, h' = z h + (1 - z) g. activated (..., 3 units) = [z q g].
std::vector<Tensor> gru_gates(const Tensor& x, const Tensor& r, const Tensor& h);
/// {gradient in x, in r, in h}, given that of h'.
std::vector<Tensor> gru_gates_backward(const Tensor& activated, const Tensor& r, const Tensor& h, const Tensor& dh);

}  // namespace strata::ops
