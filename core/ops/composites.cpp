// SPDX-License-Identifier: Apache-2.0
// Functions of ops.h that are made of other ones.
#include <algorithm>

#include "core/base/error.h"
#include "core/ops/ops.h"

namespace strata::ops {

Tensor expand_dims(const Tensor& x, int axis) {
  const int at = normalize_axis(axis, x.rank() + 1, "expand_dims");
  return reshape(x, x.shape().slice(0, at).concat({1}).concat(x.shape().slice(at, x.rank())));
}

Tensor squeeze(const Tensor& x, std::vector<int> axes) {
  for (int& axis : axes) {
    axis = normalize_axis(axis, x.rank(), "squeeze");
    if (!dims_fit(x.shape()[axis], 1)) {
      throw ShapeError("squeeze: expected axis " + std::to_string(axis) + " to have size 1, received shape " +
                       x.shape().str());
    }
  }
  std::vector<Dim> kept;
  for (int i = 0; i < x.rank(); ++i) {
    const bool removed = axes.empty() ? x.shape()[i] == 1 : std::find(axes.begin(), axes.end(), i) != axes.end();
    if (!removed) kept.push_back(x.shape()[i]);
  }
  return reshape(x, Shape(std::move(kept)));
}

Tensor stack(const std::vector<Tensor>& inputs, int axis) {
  if (inputs.empty()) throw ShapeError("stack: expected at least one tensor, received none");
  const int at = normalize_axis(axis, inputs[0].rank() + 1, "stack");
  std::vector<Tensor> expanded;
  for (const Tensor& input : inputs) {
    if (!shapes_fit(input.shape(), inputs[0].shape())) {
      throw ShapeError("stack: expected tensors of one shape, received " + inputs[0].shape().str() + " and " +
                       input.shape().str());
    }
    expanded.push_back(expand_dims(input, at));
  }
  return concatenate(expanded, at);
}

Tensor one_hot(const Tensor& ids, Dim depth, Dtype dtype) {
  if (is_floating(ids.dtype()) || ids.dtype() == Dtype::boolean) {
    throw DtypeError("one_hot: expected integer ids, received " + ids.spec().str());
  }
  if (depth < 0) throw ShapeError("one_hot: expected a depth of at least 0, received " + std::to_string(depth));
  const Tensor wide = ids.dtype() == Dtype::uint8 ? cast(ids, Dtype::int32) : ids;
  return cast(equal(expand_dims(wide, -1), iota({depth}, 0, wide.dtype())), dtype);
}

Tensor clip(const Tensor& x, double low, double high) {
  return minimum(maximum(x, scalar(low, x.dtype())), scalar(high, x.dtype()));
}

// The bound is on the square, so that the gradient of a vector of zeros is finite.
Tensor l2_normalize(const Tensor& x, std::vector<int> axes) {
  constexpr double kSmallestSquare = 1e-14;
  return x * rsqrt(maximum(sum(square(x), std::move(axes), true), scalar(kSmallestSquare, x.dtype())));
}

Tensor full(const Shape& shape, double value, Dtype dtype) { return broadcast_to(scalar(value, dtype), shape); }
Tensor zeros(const Shape& shape, Dtype dtype) { return full(shape, 0.0, dtype); }
Tensor ones(const Shape& shape, Dtype dtype) { return full(shape, 1.0, dtype); }

}  // namespace strata::ops
