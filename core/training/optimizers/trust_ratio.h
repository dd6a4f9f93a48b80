// SPDX-License-Identifier: Apache-2.0
// Internal to optimizers: the factor by which layer-wise adaptive rates differ from the global one.
#pragma once

#include "core/ops/ops.h"
#include "core/training/optimizer.h"

namespace strata {

/// |w| / divisor, a scalar; 1 where the norm of the variable or of the direction is 0.
inline Tensor trust_ratio(const UpdateInputs& in, const Tensor& divisor) {
  const Tensor zero = scalar(0.0, divisor.dtype());
  const Tensor both = ops::logical_and(ops::greater(in.variable_norm, zero), ops::greater(in.direction_norm, zero));
  return ops::select(both, in.variable_norm / divisor, scalar(1.0, divisor.dtype()));
}

}  // namespace strata
