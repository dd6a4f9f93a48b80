// SPDX-License-Identifier: Apache-2.0
// Activation functions, under Keras' names.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "core/base/config.h"
#include "core/tensor/tensor.h"

namespace strata {

/// A named function on tensors that keeps the shape. A value type, immutable and thread-safe. Floating tensors only.
///
/// linear x; relu max(x, 0); relu6 min(max(x, 0), 6); leaky_relu x or 0.2x; elu x or e^x - 1;
/// selu 1.05070098 (x or 1.67326324 (e^x - 1)); sigmoid 1 / (1 + e^-x); hard_sigmoid relu6(x + 3) / 6; tanh;
/// softplus log(1 + e^x); softsign x / (1 + |x|); exponential e^x; silu (or swish) x sigmoid(x);
/// hard_silu x hard_sigmoid(x); gelu x (1 + erf(x / sqrt 2)) / 2; mish x tanh(softplus(x));
/// softmax and log_softmax over the last axis (ShapeError for rank below 2).
class Activation {
 public:
  using Function = std::function<Tensor(const Tensor&)>;

  /// linear.
  Activation() : Activation("") {}
  Activation(std::nullptr_t) : Activation("") {}  // NOLINT(google-explicit-constructor): Keras' None
  /// By name; "" = linear. Throws ConfigError "Unknown activation function:x".
  Activation(const char* name) : Activation(std::string(name)) {}  // NOLINT(google-explicit-constructor)
  Activation(const std::string& name);                             // NOLINT(google-explicit-constructor)
  /// One's own function. A file that names it is read only where that name is known.
  Activation(std::string name, Function function) : name_(std::move(name)), function_(std::move(function)) {}

  Tensor operator()(const Tensor& x) const { return function_(x); }
  const std::string& name() const { return name_; }
  /// The name.
  Config config() const { return name_; }
  /// Reads a name, or null.
  static Activation from_config(const Config& config);
  /// Every name that the constructor takes.
  static std::vector<std::string> names();

 private:
  std::string name_;
  Function function_;
};

}  // namespace strata
