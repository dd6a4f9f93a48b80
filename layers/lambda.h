// SPDX-License-Identifier: Apache-2.0
// Lambda: a function as a layer.
#pragma once

#include <optional>
#include <string>
#include <utility>

#include "core/model/layer.h"
#include "layers/functions.h"

namespace strata::layers {

struct LambdaOptions {
  std::optional<Shape> output_shape = {};  // of a sample, checked against what the function gives; empty = inferred
  NamedFunction mask = {};                 // gives the mask of the output; none = the output has no mask
  Config arguments = Config::object();     // handed to the function
  std::string name = {};
  bool trainable = true;
  std::optional<DtypePolicy> dtype = {};
};

/// y = function(inputs, arguments). Both functions get the layer's inputs; CallContext::current() has the rest, such as
/// the inputs' masks. A config names the functions, so to be read it needs them made known with register_function.
///     register_function("twice", [](const Tensor& x) { return x * 2.0; });
///     auto y = layers::Lambda("twice")(x);
/// Throws ConfigError for an unknown name, ShapeError when the result is not of output_shape.
class Lambda : public LayerRef {
 public:
  explicit Lambda(const NamedFunction& function, const LambdaOptions& options = {});
  /// A function that is not made known.
  template <class F>
    requires(!std::is_convertible_v<F, LambdaOptions>)
  Lambda(const std::string& function_name, F function, const LambdaOptions& options = {})
      : Lambda(NamedFunction(function_name, std::move(function)), options) {}
};

}  // namespace strata::layers
