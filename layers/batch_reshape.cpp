// SPDX-License-Identifier: Apache-2.0
#include "layers/batch_reshape.h"

#include <algorithm>

#include "core/base/error.h"
#include "core/ops/ops.h"

namespace strata {
namespace {

/// `tail` with its None computed, where the size of a sample is known.
Shape resolved(const Tensor& x, const Shape& tail) {
  const Shape sample = x.shape().slice(1, x.rank());
  if (!sample.is_known()) return tail;
  const auto unknown = std::find(tail.begin(), tail.end(), None);
  const int axis = static_cast<int>(unknown - tail.begin());
  const bool computes = unknown != tail.end();
  const Dim size = sample.elements();
  const Dim rest = computes ? tail.with(axis, 1).elements() : tail.elements();
  const bool fits = computes ? rest > 0 && size % rest == 0 : rest == size;
  if (!fits) {
    throw ShapeError("total size of new array must be unchanged: expected " + std::to_string(size) +
                     " elements a sample for an input of shape " + x.shape().str() + ", received target shape " +
                     tail.str());
  }
  return computes ? tail.with(axis, size / rest) : tail;
}

}  // namespace

Tensor reshape_samples(const Tensor& x, const Shape& tail) {
  return ops::reshape(x, Shape{x.shape()[0]}.concat(resolved(x, tail)));
}

}  // namespace strata
