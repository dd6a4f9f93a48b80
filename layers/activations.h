// SPDX-License-Identifier: Apache-2.0
// Activation functions, as arguments of layers.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "core/base/config.h"
#include "layers/activation_functions.h"
#include "layers/functions.h"

namespace strata {

/// A named function on tensors. A value type, immutable and thread-safe. Floating tensors only.
///
/// The names are those of activations::by_name(), where the functions are described (linear is x, exponential e^x), and
/// those made known with register_function.
class Activation {
 public:
  using Function = std::function<Tensor(const Tensor&)>;

  /// linear.
  Activation() : Activation("") {}
  Activation(std::nullptr_t) : Activation("") {}  // NOLINT(google-explicit-constructor): Keras' None
  /// By name; "" = linear. Throws ConfigError "Unknown activation function:x".
  Activation(const char* name) : Activation(std::string(name)) {}  // NOLINT(google-explicit-constructor)
  Activation(const std::string& name);                             // NOLINT(google-explicit-constructor)
  /// One's own function. A config that names it is read only where register_function has made that name known.
  Activation(const std::string& name, Function function);

  Tensor operator()(const Tensor& x) const { return function_(x); }
  /// What Keras 3 serialises: the name of one of its functions; {"class_name": "function", "config": name} for others;
  /// {"class_name", "config"} of a layer.
  const Config& config() const { return config_; }
  /// Reads what config() wrote, any name, or null. A layer is made anew and must have no weights; one that has them, as
  /// PReLU, throws ConfigError when it is called.
  static Activation from_config(const Config& config);
  /// The names of Keras' functions.
  static std::vector<std::string> names();

 private:
  Config config_;
  Function function_;
};

}  // namespace strata
