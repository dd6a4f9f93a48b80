// SPDX-License-Identifier: Apache-2.0
// Initial values of kernels whose inputs and outputs are not simply their last two axes.
#pragma once

#include "core/model/initializer.h"

namespace strata {

/// `initializer` for a kernel with `inputs` input and `outputs` output units in all: rules that scale the variance
/// (VarianceScaling, Glorot, He, LeCun) count those, as Keras 3.15's einsum kernels do. Others stay as they are.
Initializer with_fans(const Initializer& initializer, Dim inputs, Dim outputs);

}  // namespace strata
