// SPDX-License-Identifier: Apache-2.0
// Enlarging a tensor along an axis by interpolation.
#pragma once

#include "core/tensor/tensor.h"

namespace strata {

/// How much an element at distance d counts: `linear` 1 - d for d < 1; `cubic` Keys' cubic with a = -1/2 for d < 2
/// (R. Keys, Cubic convolution interpolation for digital image processing, 1981); `lanczos3` and `lanczos5`
/// sinc(d) sinc(d / r) for d < r = 3 and 5.
enum class Interpolation { linear, cubic, lanczos3, lanczos5 };

namespace ops {

/// x with `factor` times as many elements along `axis` (not negative): element o lies at (o + 1/2) / factor - 1/2 of
/// x's elements ("half-pixel centres") and is their mean weighted by their distance to it. Floating; differentiable any
/// number of times. Throws ShapeError, DtypeError.
Tensor interpolate(const Tensor& x, int axis, Dim factor, Interpolation kind = Interpolation::linear);
/// The gradient of interpolate: from its output's shape to its input's.
Tensor interpolate_backward(const Tensor& grad, int axis, Dim factor, Interpolation kind = Interpolation::linear);

}  // namespace ops
}  // namespace strata
