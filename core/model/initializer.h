// SPDX-License-Identifier: Apache-2.0
// Initializer: a rule for the first values of a weight.
#pragma once

#include <concepts>
#include <functional>
#include <string>
#include <type_traits>
#include <utility>

#include "core/base/config.h"
#include "core/ops/ops.h"

namespace strata {

/// First values as a function of shape, dtype and a key unique to the weight.
using InitialValue = std::function<Tensor(const Shape&, Dtype, const RandomKey&)>;

/// A rule for first values: by name, one of those in namespace initializers, or a function of one's own. A value type,
/// immutable and thread-safe. Random values depend only on the session's seed and the weight's path (or on the rule's
/// own seed, if it has one).
class Initializer {
 public:
  /// By Keras name: "glorot_uniform", "GlorotUniform", "zeros", ... Throws ConfigError "Unknown initializer:x".
  Initializer(const char* name) : Initializer(std::string(name)) {}  // NOLINT(google-explicit-constructor)
  Initializer(const std::string& name);                              // NOLINT(google-explicit-constructor)
  /// One's own function. Its config names the class "Custom", which no file can be read with.
  template <class F>
    requires(!std::derived_from<std::remove_cvref_t<F>, Initializer> &&
             std::is_invocable_r_v<Tensor, F&, const Shape&, Dtype, const RandomKey&>)
  Initializer(F&& draw)  // NOLINT(google-explicit-constructor, bugprone-forwarding-reference-overload)
      : Initializer("Custom", Config::object(), InitialValue(std::forward<F>(draw))) {}
  /// What Keras would serialise as `class_name` and `config`; `draw` computes the values.
  Initializer(std::string class_name, Config config, InitialValue draw)
      : class_name_(std::move(class_name)), config_(std::move(config)), draw_(std::move(draw)) {}

  /// Values of the given (known) shape.
  Tensor operator()(const Shape& shape, Dtype dtype, const RandomKey& key) const { return draw_(shape, dtype, key); }
  const std::string& class_name() const { return class_name_; }
  /// {"class_name": "GlorotUniform", "config": {"seed": null}}.
  Config config() const { return Config::object({{"class_name", class_name_}, {"config", config_}}); }
  /// Reads what config() wrote, or a name. Throws ConfigError for an unknown class or argument.
  static Initializer from_config(const Config& config);

 private:
  std::string class_name_;
  Config config_;
  InitialValue draw_;
};

}  // namespace strata
