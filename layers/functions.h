// SPDX-License-Identifier: Apache-2.0
// Functions that layers call and configs name: those of keras.activations and those made known with register_function.
#pragma once

#include <concepts>
#include <functional>
#include <string>
#include <type_traits>
#include <vector>

#include "core/base/config.h"
#include "core/tensor/tensor.h"

namespace strata {

/// A function on tensors and the name that configs have for it. A value type, immutable and thread-safe; as is any
/// function within it that does not change what it captures.
///
/// The function is one of
///     Tensor f(const Tensor& x)
///     Tensor f(const Tensor& x, const Config& arguments)
///     Tensor f(const std::vector<Tensor>& inputs)
///     Tensor f(const std::vector<Tensor>& inputs, const Config& arguments)
/// and made of ops. `arguments` is an object. While a layer calls it, CallContext::current() gives the mode, the masks
/// and keys for random numbers.
class NamedFunction {
 public:
  /// None.
  NamedFunction() = default;
  /// A known one. Throws ConfigError "Unknown function: twice. ..." that says how to make it known.
  NamedFunction(const char* name) : NamedFunction(std::string(name)) {}  // NOLINT(google-explicit-constructor)
  NamedFunction(const std::string& name);                                // NOLINT(google-explicit-constructor)
  /// As above, but none where the name is not known.
  static NamedFunction find(const std::string& name);
  /// One's own. A config that names it is read only where register_function has made that name known.
  template <class F>
  NamedFunction(std::string name, F function) : name_(std::move(name)), function_(wrapped(std::move(function))) {}

  /// Throws ConfigError when the function takes one tensor and there are not one, or no arguments and there are some.
  Tensor operator()(const std::vector<Tensor>& inputs, const Config& arguments = Config::object()) const {
    return function_(inputs, arguments);
  }
  const std::string& name() const { return name_; }
  explicit operator bool() const { return function_ != nullptr; }

  /// As Keras 3 serialises a function: {"class_name": "function", "config": name}; null for none.
  Config config() const;
  /// Reads what config() wrote, or a name. Throws ConfigError for an unknown name, and for a Python lambda, which only
  /// Python can read.
  static NamedFunction from_config(const Config& config);

 private:
  using Wrapped = std::function<Tensor(const std::vector<Tensor>&, const Config&)>;

  template <class F>
  static Wrapped wrapped(F function) {
    if constexpr (std::is_invocable_r_v<Tensor, F&, const Tensor&, const Config&>) {
      return [function](const std::vector<Tensor>& inputs, const Config& arguments) {
        return function(only(inputs), arguments);
      };
    } else if constexpr (std::is_invocable_r_v<Tensor, F&, const Tensor&>) {
      return [function](const std::vector<Tensor>& inputs, const Config& arguments) {
        expect_none(arguments);
        return function(only(inputs));
      };
    } else if constexpr (std::is_invocable_r_v<Tensor, F&, const std::vector<Tensor>&, const Config&>) {
      return function;
    } else {
      return [function](const std::vector<Tensor>& inputs, const Config& arguments) {
        expect_none(arguments);
        return function(inputs);
      };
    }
  }
  static const Tensor& only(const std::vector<Tensor>& inputs);
  static void expect_none(const Config& arguments);

  std::string name_;
  Wrapped function_;
};

/// Makes a function known to configs, under the name that they have for it: Lambda and activations find it there. In
/// Keras the name is the one given to keras.saving.register_keras_serializable, with its package: "my_package>twice".
/// Thread-safe. Throws ConfigError for an empty or known name.
///     register_function("twice", [](const Tensor& x) { return x * 2.0; });
void register_function(const NamedFunction& function);
template <class F>
void register_function(std::string name, F function) {
  register_function(NamedFunction(std::move(name), std::move(function)));
}

}  // namespace strata
