// SPDX-License-Identifier: Apache-2.0
#include "layers/activation_functions.h"

#include <cmath>
#include <numbers>

#include "core/base/error.h"
#include "core/ops/ops.h"

namespace strata {
namespace {

Tensor number(double value, const Tensor& like) { return scalar(value, like.dtype()); }
Tensor is_above(const Tensor& x, double bound) { return ops::greater(x, number(bound, x)); }
Tensor is_below(const Tensor& x, double bound) { return ops::less(x, number(bound, x)); }

/// e^x - 1 below 0, where alone it is used. The exponent never exceeds 0, so that no gradient overflows.
Tensor exponential_below_zero(const Tensor& x) { return ops::expm1(ops::minimum(x, number(0, x))); }

const Tensor& checked_for_softmax(const Tensor& x) {
  if (x.rank() < 2) throw ShapeError("Cannot apply softmax to a tensor that is " + std::to_string(x.rank()) + "D");
  return x;
}

/// Elements [begin, end) of an axis.
Tensor part(const Tensor& x, int axis, Dim begin, Dim end) {
  std::vector<Dim> first(static_cast<std::size_t>(x.rank()), 0), last(first.size(), None);
  first[static_cast<std::size_t>(axis)] = begin;
  last[static_cast<std::size_t>(axis)] = end;
  return ops::slice(x, std::move(first), std::move(last));
}

}  // namespace

namespace activations {

Tensor relu(const Tensor& x, double negative_slope, std::optional<double> max_value, double threshold) {
  if (!max_value && threshold == 0.0) return negative_slope == 0.0 ? ops::relu(x) : leaky_relu(x, negative_slope);
  Tensor positive = threshold == 0.0 ? ops::relu(x) : ops::select(is_above(x, threshold), x, number(0, x));
  if (max_value == 6.0 && threshold == 0.0) {
    positive = relu6(x);
  } else if (max_value) {
    positive = ops::clip(positive, 0.0, *max_value);
  }
  return negative_slope == 0.0 ? positive : positive - ops::relu(threshold - x) * negative_slope;
}

Tensor leaky_relu(const Tensor& x, double negative_slope) {
  return ops::select(is_above(x, 0.0), x, x * negative_slope);
}

Tensor relu6(const Tensor& x) { return ops::select(is_below(x, 6.0), ops::relu(x), number(6, x)); }

Tensor elu(const Tensor& x, double alpha) {
  return ops::select(is_above(x, 0.0), x, exponential_below_zero(x) * alpha);
}

Tensor selu(const Tensor& x) {
  constexpr double kScale = 1.0507009873554804934193349852946;
  constexpr double kAlpha = 1.6732632423543772848170429916717;
  return ops::select(is_below(x, 0.0), exponential_below_zero(x) * kAlpha, x) * kScale;
}

Tensor celu(const Tensor& x, double alpha) {
  return ops::maximum(x, number(0, x)) + exponential_below_zero(x / alpha) * alpha;
}

Tensor gelu(const Tensor& x, bool approximate) {
  if (!approximate) return x * (ops::erf(x / std::numbers::sqrt2) + 1.0) * 0.5;
  const Tensor inner = (x + x * ops::square(x) * 0.044715) * std::sqrt(2.0 / std::numbers::pi);
  return x * (ops::tanh(inner) + 1.0) * 0.5;
}

Tensor glu(const Tensor& x, int axis) {
  const int at = normalize_axis(axis, x.rank(), "glu");
  const Dim size = x.shape()[at];
  if (size % 2 != 0) {
    throw ShapeError("axis size must be divisible by 2. Received: x.shape=" + x.shape().str() +
                     " with axis=" + std::to_string(axis));
  }
  return part(x, at, 0, size / 2) * ops::sigmoid(part(x, at, size / 2, size));
}

Tensor hard_sigmoid(const Tensor& x) { return relu6(x + 3.0) / 6.0; }
Tensor hard_silu(const Tensor& x) { return x * hard_sigmoid(x); }
Tensor hard_tanh(const Tensor& x) { return ops::clip(x, -1.0, 1.0); }

Tensor hard_shrink(const Tensor& x, double threshold) {
  return ops::select(is_above(ops::abs(x), threshold), x, number(0, x));
}

Tensor soft_shrink(const Tensor& x, double threshold) {
  const Tensor below = ops::select(is_below(x, -threshold), x + threshold, number(0, x));
  return ops::select(is_above(x, threshold), x - threshold, below);
}

Tensor tanh_shrink(const Tensor& x) { return x - ops::tanh(x); }

Tensor threshold(const Tensor& x, double threshold, double default_value) {
  return ops::select(is_above(x, threshold), x, number(default_value, x));
}

Tensor log_sigmoid(const Tensor& x) { return -ops::softplus(-x); }
Tensor mish(const Tensor& x) { return x * ops::tanh(ops::softplus(x)); }
Tensor silu(const Tensor& x) { return x * ops::sigmoid(x); }
Tensor softsign(const Tensor& x) { return x / (ops::abs(x) + 1.0); }

Tensor sparse_plus(const Tensor& x) {
  const Tensor square = ops::select(is_below(x, 1.0), ops::square(x + 1.0) * 0.25, x);
  return ops::select(is_above(x, -1.0), square, number(0, x));
}

Tensor sparse_sigmoid(const Tensor& x) {
  const Tensor line = ops::select(is_below(x, 1.0), (x + 1.0) * 0.5, number(1, x));
  return ops::select(is_above(x, -1.0), line, number(0, x));
}

Tensor squareplus(const Tensor& x, double b) { return (x + ops::sqrt(ops::square(x) + b)) / 2.0; }

Tensor softmax(const Tensor& x, int axis) { return ops::softmax(checked_for_softmax(x), axis); }
Tensor log_softmax(const Tensor& x, int axis) { return ops::log_softmax(checked_for_softmax(x), axis); }

// An element remains when 1 + k x exceeds the sum of the k elements that are not smaller; then t is (the sum of what
// remains - 1) / its number.
Tensor sparsemax(const Tensor& x, int axis) {
  const int at = normalize_axis(axis, x.rank(), "sparsemax");
  const Tensor zero = number(0, x);
  const Tensor other = ops::expand_dims(x, at);
  const Tensor not_smaller = ops::greater_equal(other, ops::expand_dims(x, at + 1));
  const Tensor count = ops::sum(ops::cast(not_smaller, x.dtype()), {at + 1});
  const Tensor total = ops::sum(ops::select(not_smaller, other, zero), {at + 1});
  const Tensor remains = ops::greater(x, (total - 1.0) / count);
  const Tensor sum = ops::sum(ops::select(remains, x, zero), {at}, true);
  return ops::maximum(x - (sum - 1.0) / ops::sum(ops::cast(remains, x.dtype()), {at}, true), zero);
}

const std::map<std::string, std::function<Tensor(const Tensor&)>>& by_name() {
  static const std::map<std::string, std::function<Tensor(const Tensor&)>> all = {
      {"linear", [](const Tensor& x) { return x; }},
      {"relu", ops::relu},
      {"relu6", relu6},
      {"leaky_relu", [](const Tensor& x) { return leaky_relu(x); }},
      {"elu", [](const Tensor& x) { return elu(x); }},
      {"selu", selu},
      {"celu", [](const Tensor& x) { return celu(x); }},
      {"sigmoid", ops::sigmoid},
      {"hard_sigmoid", hard_sigmoid},
      {"sparse_sigmoid", sparse_sigmoid},
      {"log_sigmoid", log_sigmoid},
      {"tanh", ops::tanh},
      {"hard_tanh", hard_tanh},
      {"tanh_shrink", tanh_shrink},
      {"hard_shrink", [](const Tensor& x) { return hard_shrink(x); }},
      {"soft_shrink", [](const Tensor& x) { return soft_shrink(x); }},
      {"softplus", ops::softplus},
      {"sparse_plus", sparse_plus},
      {"squareplus", [](const Tensor& x) { return squareplus(x); }},
      {"softsign", softsign},
      {"exponential", ops::exp},
      {"silu", silu},
      {"swish", silu},
      {"hard_silu", hard_silu},
      {"hard_swish", hard_silu},
      {"gelu", [](const Tensor& x) { return gelu(x); }},
      {"glu", [](const Tensor& x) { return glu(x); }},
      {"mish", mish},
      {"softmax", [](const Tensor& x) { return softmax(x); }},
      {"log_softmax", [](const Tensor& x) { return log_softmax(x); }},
      {"sparsemax", [](const Tensor& x) { return sparsemax(x); }},
  };
  return all;
}

}  // namespace activations
}  // namespace strata
