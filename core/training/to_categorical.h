// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "core/tensor/tensor.h"

namespace strata {

/// Labels (n,) or (n, 1), whole numbers of any dtype, as float32 (n, num_classes): 1 at the label, 0 elsewhere, as
/// keras.utils.to_categorical does. Without num_classes there are as many as the largest label asks for. Throws
/// ShapeError for another shape, ConfigError naming the first label that is not in [0, num_classes).
Tensor to_categorical(const Tensor& labels, Dim num_classes = 0);

}  // namespace strata
