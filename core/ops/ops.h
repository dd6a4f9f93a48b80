// SPDX-License-Identifier: Apache-2.0
// The ops: pure functions on tensors. Each checks shapes and dtypes at once (ShapeError, DtypeError naming the op, what
// it expected and what it received) and computes when a value is asked for. Operands of one op have one dtype; nothing
// is promoted silently. Shapes may have unknown dimensions. Unless said otherwise an op is differentiable in its
// floating inputs, and its gradient is made of these same functions, so gradients of gradients work. Thread-safe.
#pragma once

#include <cstdint>
#include <vector>

#include "core/tensor/tensor.h"

namespace strata {

/// Where an op draws random numbers: a number is a function of (seed, step, stream, row, column) only.
/// `state` is int64 [3]: seed, step, and the global sample index of row 0. `stream` tells apart the draws of one step.
struct RandomKey {
  Tensor state;
  std::uint64_t stream = 0;
};

/// Rows by id: `values[i]` belongs to row `ids[i]`.
struct CombinedRows {
  Tensor ids;     // int64 [n], the first `count` ascending and distinct, the others -1
  Tensor values;  // [n, ...], 0 from `count` on
  Tensor count;   // int64 scalar
};

namespace ops {

// Elementwise, two operands, broadcast as in NumPy.
Tensor add(const Tensor& a, const Tensor& b);
Tensor subtract(const Tensor& a, const Tensor& b);
Tensor multiply(const Tensor& a, const Tensor& b);
/// Integer operands divide as in C++; division of integers by zero gives 0.
Tensor divide(const Tensor& a, const Tensor& b);
/// Floating only.
Tensor power(const Tensor& a, const Tensor& b);
/// The gradient of equal operands goes to `a`.
Tensor maximum(const Tensor& a, const Tensor& b);
Tensor minimum(const Tensor& a, const Tensor& b);
/// Elementwise min(max(x, low), high); the gradient at the bounds is 1.
Tensor clip(const Tensor& x, double low, double high);

// Comparison and logic: bool results, not differentiable.
Tensor equal(const Tensor& a, const Tensor& b);
Tensor not_equal(const Tensor& a, const Tensor& b);
Tensor less(const Tensor& a, const Tensor& b);
Tensor less_equal(const Tensor& a, const Tensor& b);
Tensor greater(const Tensor& a, const Tensor& b);
Tensor greater_equal(const Tensor& a, const Tensor& b);
Tensor logical_and(const Tensor& a, const Tensor& b);
Tensor logical_or(const Tensor& a, const Tensor& b);
Tensor logical_not(const Tensor& x);
/// Elementwise `condition ? a : b`; `condition` is bool.
Tensor select(const Tensor& condition, const Tensor& a, const Tensor& b);

// Elementwise, one operand. Numeric: negative, abs, square, sign. The rest take floating operands.
Tensor negative(const Tensor& x);
Tensor abs(const Tensor& x);
Tensor square(const Tensor& x);
Tensor sign(const Tensor& x);
Tensor sqrt(const Tensor& x);
Tensor rsqrt(const Tensor& x);
Tensor exp(const Tensor& x);
Tensor expm1(const Tensor& x);
Tensor log(const Tensor& x);
Tensor log1p(const Tensor& x);
Tensor sin(const Tensor& x);
Tensor cos(const Tensor& x);
Tensor tanh(const Tensor& x);
Tensor erf(const Tensor& x);
/// 1 / (1 + exp(-x)), without overflow.
Tensor sigmoid(const Tensor& x);
/// max(x, 0); the gradient at 0 is 0.
Tensor relu(const Tensor& x);
/// log(1 + exp(x)), without overflow.
Tensor softplus(const Tensor& x);
/// Gradient 0.
Tensor floor(const Tensor& x);
Tensor ceil(const Tensor& x);
/// To the nearest even. Gradient 0.
Tensor round(const Tensor& x);
Tensor is_finite(const Tensor& x);

/// As static_cast; to bool: x != 0; between halves and other types than float32 through float32, as in TensorFlow.
/// Differentiable between floating dtypes.
Tensor cast(const Tensor& x, Dtype dtype);
/// The same values, through which no gradient flows.
Tensor stop_gradient(const Tensor& x);

/// a (..., m, k) times b (..., k, n), either transposed in its last two axes first; leading axes broadcast. Floating
/// only.
Tensor matmul(const Tensor& a, const Tensor& b, bool transpose_a = false, bool transpose_b = false);

// Reductions over `axes` (negative ones count from the end; empty = all). keepdims leaves axes of size 1.
Tensor sum(const Tensor& x, std::vector<int> axes = {}, bool keepdims = false);
/// Floating only.
Tensor mean(const Tensor& x, std::vector<int> axes = {}, bool keepdims = false);
/// The gradient is shared equally among equal maxima.
Tensor max(const Tensor& x, std::vector<int> axes = {}, bool keepdims = false);
Tensor min(const Tensor& x, std::vector<int> axes = {}, bool keepdims = false);
/// int64 index of the first maximum along one axis, which disappears. Not differentiable.
Tensor argmax(const Tensor& x, int axis = -1);

/// The same elements under another shape; one dimension may be None and is computed.
Tensor reshape(const Tensor& x, const Shape& shape);
/// Output axis i is input axis permutation[i].
Tensor transpose(const Tensor& x, std::vector<int> permutation);
Tensor broadcast_to(const Tensor& x, const Shape& shape);
Tensor expand_dims(const Tensor& x, int axis);
/// Removes axes of size 1 (empty = all such).
Tensor squeeze(const Tensor& x, std::vector<int> axes = {});

/// x[begin[i] : end[i] : step[i]] on every axis i; end None = to the end of the axis; step >= 1 (empty = all 1).
/// Positions count from 0; since None is -1, Python's end of -1 cannot be said.
Tensor slice(const Tensor& x, std::vector<Dim> begin, std::vector<Dim> end, std::vector<Dim> step = {});
Tensor concatenate(const std::vector<Tensor>& inputs, int axis = -1);
/// Joins along a new axis.
Tensor stack(const std::vector<Tensor>& inputs, int axis = 0);
/// Adds before[i] and after[i] elements of `value` to axis i.
Tensor pad(const Tensor& x, std::vector<Dim> before, std::vector<Dim> after, double value = 0.0);
/// The elements in reverse order along the axes.
Tensor flip(const Tensor& x, std::vector<int> axes);

/// Rows of x: out[i..., ...] = x[ids[i...], ...]. ids: int32 or int64. An id out of range gives NaN (0 for integers).
/// The gradient in x is by rows.
Tensor gather(const Tensor& x, const Tensor& ids);
/// Zeros of (rows,) + updates.shape[ids.rank:], plus updates[i...] added to row ids[i...] in order; ids out of range
/// are skipped.
Tensor scatter_add(const Tensor& ids, const Tensor& updates, Dim rows);
/// x with row ids[i] replaced by values[i]; ids [n] out of range are skipped, of equal ones the last counts. Has no
/// gradient.
Tensor scatter_rows(const Tensor& x, const Tensor& ids, const Tensor& values);
/// The sums of the values [n, ...] of equal ids [n], in order; ids outside 0 to rows - 1 are skipped. Has no gradient.
CombinedRows combine_rows(const Tensor& ids, const Tensor& values, Dim rows);
/// 0, 1, ... along `axis` of `shape`.
Tensor iota(const Shape& shape, int axis, Dtype dtype = Dtype::int64);
/// ids.shape + (depth,), 1 at the id's position, 0 elsewhere.
Tensor one_hot(const Tensor& ids, Dim depth, Dtype dtype = Dtype::float32);

Tensor softmax(const Tensor& x, int axis = -1);
Tensor log_softmax(const Tensor& x, int axis = -1);
/// x / max(|x|, 1e-7), where |x| is the root of the sum of squares over `axes` (empty = all). Floating only.
Tensor l2_normalize(const Tensor& x, std::vector<int> axes);
/// -log_softmax(logits)[labels] for logits (..., classes) and integer labels (...); NaN for labels out of range.
Tensor sparse_softmax_cross_entropy(const Tensor& logits, const Tensor& labels);

/// The sum of x over all blocks of a step, on all ranks, the same in each; x itself outside of a step. Floating only.
Tensor block_sum(const Tensor& x);

// Random numbers (Philox4x32-10), not differentiable. Axis 0 is the sample axis: row i of a draw has global sample
// index state[2] + i, so a block's rows are the same numbers whichever rank computes them.
/// Uniform in [low, high).
Tensor random_uniform(const RandomKey& key, const Shape& shape, double low = 0.0, double high = 1.0,
                      Dtype dtype = Dtype::float32);
Tensor random_normal(const RandomKey& key, const Shape& shape, double mean = 0.0, double stddev = 1.0,
                     Dtype dtype = Dtype::float32);
/// True with this probability.
Tensor random_bernoulli(const RandomKey& key, const Shape& shape, double probability);

// Constants.
Tensor full(const Shape& shape, double value, Dtype dtype = Dtype::float32);
Tensor zeros(const Shape& shape, Dtype dtype = Dtype::float32);
Tensor ones(const Shape& shape, Dtype dtype = Dtype::float32);
Tensor zeros_like(const Tensor& x);
Tensor ones_like(const Tensor& x);

}  // namespace ops

inline Tensor operator+(const Tensor& a, const Tensor& b) { return ops::add(a, b); }
inline Tensor operator-(const Tensor& a, const Tensor& b) { return ops::subtract(a, b); }
inline Tensor operator*(const Tensor& a, const Tensor& b) { return ops::multiply(a, b); }
inline Tensor operator/(const Tensor& a, const Tensor& b) { return ops::divide(a, b); }
inline Tensor operator-(const Tensor& x) { return ops::negative(x); }
// A number takes the dtype of the tensor beside it. Beside an integer tensor it must be whole, and cannot be divided
// by: DtypeError says to cast first, as the result would not be what NumPy or Keras give.
namespace detail {
Tensor number_like(double value, const Tensor& tensor);
Tensor divisor_like(double value, const Tensor& tensor);
}  // namespace detail
inline Tensor operator+(const Tensor& a, double b) { return ops::add(a, detail::number_like(b, a)); }
inline Tensor operator-(const Tensor& a, double b) { return ops::subtract(a, detail::number_like(b, a)); }
inline Tensor operator*(const Tensor& a, double b) { return ops::multiply(a, detail::number_like(b, a)); }
inline Tensor operator/(const Tensor& a, double b) { return ops::divide(a, detail::divisor_like(b, a)); }
inline Tensor operator+(double a, const Tensor& b) { return ops::add(detail::number_like(a, b), b); }
inline Tensor operator-(double a, const Tensor& b) { return ops::subtract(detail::number_like(a, b), b); }
inline Tensor operator*(double a, const Tensor& b) { return ops::multiply(detail::number_like(a, b), b); }
inline Tensor operator/(double a, const Tensor& b) { return ops::divide(detail::divisor_like(a, b), b); }

}  // namespace strata
