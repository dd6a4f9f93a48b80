// SPDX-License-Identifier: Apache-2.0
// Adam's rule as one op, for the reasons given at rmsprop_update().
#pragma once

#include <vector>

#include "core/tensor/tensor.h"

namespace strata::ops {

/// {variable - rate momentum' / (sqrt(velocity') + epsilon), momentum', velocity'} with momentum' = momentum +
/// (gradient - momentum)(1 - beta_1) and velocity' = velocity + (gradient^2 - velocity)(1 - beta_2), rounded after
/// every operation as the same formula in single ops is. All of one floating dtype; `rate` a scalar, the others of one
/// shape. Not differentiable.
std::vector<Tensor> adam_update(const Tensor& variable, const Tensor& gradient, const Tensor& momentum,
                                const Tensor& velocity, const Tensor& rate, double beta_1, double beta_2,
                                double epsilon);

}  // namespace strata::ops
