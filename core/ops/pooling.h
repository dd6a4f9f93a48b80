// SPDX-License-Identifier: Apache-2.0
// Pooling over 1 to 3 spatial axes of tensors (batch, spatial..., channels), and what is made of it. Padding counts
// neither as a maximum nor in an average. Windows must have dilation 1 and padding smaller than their size. float32 and
// float64; differentiable any number of times. Throw ShapeError, DtypeError.
#pragma once

#include "core/ops/window.h"
#include "core/tensor/tensor.h"

namespace strata::ops {

/// (batch, spatial..., channels) -> (batch, positions..., channels). The gradient goes to the first of equal maxima, in
/// row-major order.
Tensor max_pool(const Tensor& x, const Window& window);
/// The gradient of max_pool in x: adds grad (batch, positions..., channels) at each window's first maximum of x.
Tensor max_pool_backward(const Tensor& x, const Tensor& grad, const Window& window);
/// The values that `values`, of x's shape, has at each window's first maximum of x.
Tensor max_pool_select(const Tensor& x, const Tensor& values, const Window& window);

/// The mean over the elements of each window that are not padding.
Tensor average_pool(const Tensor& x, const Window& window);
/// The gradient of average_pool: grad (batch, positions..., channels) -> (batch, spatial..., channels); `spatial` must
/// have the positions of grad.
Tensor average_pool_backward(const Tensor& grad, const Window& window, const std::vector<Dim>& spatial);

/// Repeats each element factors[i] times along spatial axis i.
Tensor upsample(const Tensor& x, const std::vector<Dim>& factors);

}  // namespace strata::ops
