// SPDX-License-Identifier: Apache-2.0
// The C++ number beside a tensor in an expression.
#include <cmath>

#include "core/base/error.h"
#include "core/ops/ops.h"

namespace strata::detail {

Tensor number_like(double value, const Tensor& tensor) {
  if (!is_floating(tensor.dtype()) && std::floor(value) != value) {
    throw DtypeError("Expected a whole number beside a tensor of " + tensor.spec().str() + ", received " +
                     std::to_string(value) + ": cast the tensor to a floating dtype first");
  }
  return scalar(value, tensor.dtype());
}

Tensor divisor_like(double value, const Tensor& tensor) {
  if (!is_floating(tensor.dtype())) {
    throw DtypeError("Division of a tensor of " + tensor.spec().str() + " and the number " + std::to_string(value) +
                     " would lose the fraction: cast the tensor to a floating dtype first");
  }
  return scalar(value, tensor.dtype());
}

}  // namespace strata::detail
