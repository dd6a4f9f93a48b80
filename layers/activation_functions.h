// SPDX-License-Identifier: Apache-2.0
// The functions of keras.activations, with their arguments.
#pragma once

#include <functional>
#include <map>
#include <optional>
#include <string>

#include "core/tensor/tensor.h"

namespace strata::activations {

// Floating tensors only. The result has the shape of x except for glu. At kinks the gradients are those that TensorFlow
// gives.

/// x between threshold and max_value, max_value above, negative_slope (x - threshold) up to the threshold.
Tensor relu(const Tensor& x, double negative_slope = 0.0, std::optional<double> max_value = {}, double threshold = 0.0);
/// x above 0, negative_slope x below.
Tensor leaky_relu(const Tensor& x, double negative_slope = 0.2);
/// min(max(x, 0), 6).
Tensor relu6(const Tensor& x);
/// x above 0, alpha (e^x - 1) below.
Tensor elu(const Tensor& x, double alpha = 1.0);
/// 1.05070098 x above 0, 1.05070098 1.67326324 (e^x - 1) below: Klambauer et al., "Self-normalizing neural networks"
/// (2017).
Tensor selu(const Tensor& x);
/// x above 0, alpha (e^(x / alpha) - 1) below: Barron, "Continuously differentiable exponential linear units" (2017).
Tensor celu(const Tensor& x, double alpha = 1.0);
/// x (1 + erf(x / sqrt 2)) / 2, or x (1 + tanh(sqrt(2 / pi) (x + 0.044715 x^3))) / 2 when approximate: Hendrycks and
/// Gimpel, "Gaussian error linear units" (2016).
Tensor gelu(const Tensor& x, bool approximate = false);
/// a sigmoid(b), where a and b are the halves of x along an axis of even size. Throws ShapeError for an odd one.
Tensor glu(const Tensor& x, int axis = -1);
/// relu6(x + 3) / 6.
Tensor hard_sigmoid(const Tensor& x);
/// x hard_sigmoid(x).
Tensor hard_silu(const Tensor& x);
/// min(max(x, -1), 1).
Tensor hard_tanh(const Tensor& x);
/// x where |x| > threshold, else 0.
Tensor hard_shrink(const Tensor& x, double threshold = 0.5);
/// What |x| exceeds the threshold by, with the sign of x.
Tensor soft_shrink(const Tensor& x, double threshold = 0.5);
/// x - tanh(x).
Tensor tanh_shrink(const Tensor& x);
/// x above the threshold, else default_value.
Tensor threshold(const Tensor& x, double threshold, double default_value);
/// log(sigmoid(x)).
Tensor log_sigmoid(const Tensor& x);
/// x tanh(softplus(x)): Misra, "Mish" (2019).
Tensor mish(const Tensor& x);
/// x sigmoid(x).
Tensor silu(const Tensor& x);
/// x / (1 + |x|).
Tensor softsign(const Tensor& x);
/// 0 up to -1, (x + 1)^2 / 4 up to 1, then x.
Tensor sparse_plus(const Tensor& x);
/// 0 up to -1, (x + 1) / 2 up to 1, then 1: Blondel et al., "Learning classifiers with Fenchel-Young losses" (2019).
Tensor sparse_sigmoid(const Tensor& x);
/// (x + sqrt(x^2 + b)) / 2.
Tensor squareplus(const Tensor& x, double b = 4.0);
/// Over one axis. Throws ShapeError for rank below 2.
Tensor softmax(const Tensor& x, int axis = -1);
Tensor log_softmax(const Tensor& x, int axis = -1);
/// max(x - t, 0), with t such that the sum over the axis is 1: Martins and Astudillo, "From softmax to sparsemax"
/// (2016). Keras 3.15 takes another t where more than one element remains (keras issue 23425, mended since). Compares
/// every two elements of the axis.
Tensor sparsemax(const Tensor& x, int axis = -1);

/// Those that take no more than x, under Keras' names, further names included: "relu", "silu", "swish", ...
const std::map<std::string, std::function<Tensor(const Tensor&)>>& by_name();

}  // namespace strata::activations
