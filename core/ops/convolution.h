// SPDX-License-Identifier: Apache-2.0
// Convolution over 1 to 3 spatial axes, and its derivatives as ops of their own. Kernels are not flipped
// (cross-correlation), as everywhere in the field. float32 and float64; differentiable any number of times.
#pragma once

#include "core/ops/window.h"
#include "core/tensor/tensor.h"

namespace strata::ops {

/// x (batch, spatial..., in), kernel (size..., in / groups, out) with the window's sizes -> (batch, positions..., out):
/// y[b, p, o] = sum over taps t and i of x[b, p stride - before + t dilation, i] kernel[t, i, o], x being 0 outside.
/// With groups, output channel o reads the input channels of group o / (out / groups) only. Throws ShapeError,
/// DtypeError.
Tensor convolution(const Tensor& x, const Tensor& kernel, const Window& window, Dim groups = 1);

/// The gradient of convolution in x, that is the transposed convolution. grad (batch, positions..., out), kernel as
/// above -> (batch, spatial..., in); `spatial` must have the positions of grad (several sizes can, when stride > 1).
Tensor convolution_backward_data(const Tensor& grad, const Tensor& kernel, const Window& window,
                                 const std::vector<Dim>& spatial, Dim groups = 1);

/// The gradient of convolution in the kernel: x and grad as above -> (size..., in / groups, out).
Tensor convolution_backward_weights(const Tensor& x, const Tensor& grad, const Window& window, Dim groups = 1);

}  // namespace strata::ops
