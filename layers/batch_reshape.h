// SPDX-License-Identifier: Apache-2.0
// Reshaping all axes but the batch.
#pragma once

#include "core/tensor/tensor.h"

namespace strata {

/// x (batch, ...) as (batch,) + tail, of which at most one dimension is None and is computed. While dimensions of x are
/// unknown the result may have unknown ones too. Throws ShapeError when the sizes cannot be equal.
Tensor reshape_samples(const Tensor& x, const Shape& tail);

}  // namespace strata
