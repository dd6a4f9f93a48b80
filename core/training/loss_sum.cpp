// SPDX-License-Identifier: Apache-2.0
#include "core/training/loss_sum.h"

#include "core/base/error.h"
#include "core/ops/ops.h"

namespace strata {
namespace {

double elements(const Tensor& x) { return static_cast<double>(x.shape().elements()); }

/// The mask of the model's output and that of the loss itself: both must count a value.
Tensor joined_mask(const LossFunction& loss, const Tensor& y_true, const Tensor& y_pred, const Tensor& mask,
                   const Tensor& values) {
  Tensor own = loss.mask(y_true, y_pred);
  if (!mask) return own;
  const Tensor fitted = fit_weights(loss.name() + ": mask", mask, values);
  return own ? ops::logical_and(own, fitted) : fitted;
}

/// How many values a mask lets count.
Tensor counted_values(const Tensor& mask, const Tensor& values) {
  return ops::sum(ops::cast(mask, Dtype::float64)) * (elements(values) / elements(mask));
}

}  // namespace

Tensor fit_weights(const std::string& what, const Tensor& weights, const Tensor& values) {
  Shape shape = weights.shape();
  if (shape.rank() == values.rank() + 1 && shape.back() == 1) shape = shape.slice(0, values.rank());
  while (shape.rank() < values.rank()) shape = shape.concat({1});
  bool fits = shape.rank() == values.rank();
  for (int axis = 0; fits && axis < shape.rank(); ++axis) {
    fits = shape[axis] == 1 || dims_fit(shape[axis], values.shape()[axis]);
  }
  if (!fits) {
    throw ShapeError(what + " of shape " + weights.shape().str() + " does not fit values of shape " +
                     values.shape().str());
  }
  return ops::reshape(weights, shape);
}

Tensor widened(const Tensor& x) { return ops::cast(x, widened(x.dtype())); }

Tensor safe_quotient(const Tensor& a, const Tensor& b) {
  const Tensor nothing = ops::equal(b, ops::zeros_like(b));
  return ops::select(nothing, ops::zeros_like(a), a / ops::select(nothing, ops::ones_like(b), b));
}

LossSum sum_loss(const LossFunction& loss, const Tensor& y_true, const Tensor& y_pred, const Tensor& weights,
                 const Tensor& mask) {
  Tensor values = loss.values(y_true, y_pred);
  const Dtype dtype = values.dtype();
  const Tensor counts = joined_mask(loss, y_true, y_pred, mask, values);
  Tensor factors = weights ? ops::cast(fit_weights(loss.name() + ": sample_weight", weights, values), dtype) : Tensor();
  if (counts) factors = factors ? factors * ops::cast(counts, dtype) : ops::cast(counts, dtype);

  LossSum result{.sum = ops::sum(factors ? values * factors : values), .values = values.shape().elements()};
  if (loss.reduction() == Reduction::sum) {
    result.divides = false;
  } else if (loss.reduction() == Reduction::mean_with_sample_weight && factors) {
    result.count = ops::sum(ops::cast(factors, Dtype::float64)) * (elements(values) / elements(factors));
  } else if (counts) {
    result.count = counted_values(counts, values);
  }
  return result;
}

}  // namespace strata
