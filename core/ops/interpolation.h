// SPDX-License-Identifier: Apache-2.0
// Enlarging a tensor along an axis by linear interpolation.
#pragma once

#include "core/tensor/tensor.h"

namespace strata::ops {

/// x with `factor` times as many elements along `axis` (not negative): element o lies at (o + 1/2) / factor - 1/2 of
/// x's elements and is interpolated linearly between its two neighbours; beyond the outermost elements it equals them
/// ("half-pixel centres"). Floating; differentiable any number of times. Throws ShapeError, DtypeError.
Tensor interpolate(const Tensor& x, int axis, Dim factor);
/// The gradient of interpolate: from its output's shape to its input's.
Tensor interpolate_backward(const Tensor& grad, int axis, Dim factor);

}  // namespace strata::ops
