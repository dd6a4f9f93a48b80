// SPDX-License-Identifier: Apache-2.0
// Internal to optimizers: the sums of squares that norms are made of.
#pragma once

#include "core/tensor/tensor.h"

namespace strata {

/// Elements whose squares are summed first. A norm is the root of the sum (ops::sum, a fixed tree) over the chunks of a
/// variable, in float64: so its bits depend neither on who computes which chunks nor on where buckets begin.
inline constexpr Dim kNormChunk = 8192;

namespace ops {

/// The sum of the squares of each chunk of kNormChunk elements (the last may be shorter) of a floating x (n), float64.
/// Not differentiable.
Tensor square_sums(const Tensor& x);

}  // namespace ops
}  // namespace strata
