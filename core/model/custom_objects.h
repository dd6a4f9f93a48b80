// SPDX-License-Identifier: Apache-2.0
// Classes and functions of a program's own, under the names that configs and files have for them.
#pragma once

#include <any>
#include <concepts>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <type_traits>
#include <typeinfo>
#include <utility>

#include "core/model/layer.h"

namespace strata {

/// Makes a layer from what its get_config() returned.
using LayerFactory = std::function<LayerRef(const Config& config)>;

/// What a program can make known under a name. Either a class: a function that makes from a config a layer or model, or
/// exactly a Loss, Metric, Optimizer, LearningRate, Initializer, Regularizer or Constraint,
///     [](const Config& config) { return Loss(std::make_shared<const Quantile>(config.at("q").as_double())); }
/// or a plain function written in ops:
///     Tensor f(const Tensor& y_true, const Tensor& y_pred)                a loss or a metric
///     Tensor f(const Tensor& x)                                           an activation, a regularizer, a constraint
///     Tensor f(const Shape& shape, Dtype dtype, const RandomKey& key)     an initializer
class CustomObject {
  template <class F>
  static constexpr bool is_factory = std::is_invocable_v<F&, const Config&>;
  template <class F>
  static constexpr bool is_pair_function = std::is_invocable_r_v<Tensor, F&, const Tensor&, const Tensor&>;
  template <class F>
  static constexpr bool is_function = std::is_invocable_r_v<Tensor, F&, const Tensor&>;
  template <class F>
  static constexpr bool is_initializer = std::is_invocable_r_v<Tensor, F&, const Shape&, Dtype, const RandomKey&>;

 public:
  template <class F>
    requires(is_factory<std::remove_cvref_t<F>> || is_pair_function<std::remove_cvref_t<F>> ||
             is_function<std::remove_cvref_t<F>> || is_initializer<std::remove_cvref_t<F>>)
  CustomObject(F&& object)  // NOLINT(google-explicit-constructor, bugprone-forwarding-reference-overload)
      : value_(stored(std::forward<F>(object))) {}

  /// The std::function that it is kept as; void for an empty one.
  const std::type_info& type() const { return value_.type(); }
  /// That function. T must be its type.
  template <class T>
  const T& as() const {
    return *std::any_cast<T>(&value_);
  }

 private:
  template <class T>
  static std::any unless_empty(T function) {
    return function ? std::any(std::move(function)) : std::any();
  }
  template <class F>
  static std::any stored(F&& object) {
    using Plain = std::remove_cvref_t<F>;
    if constexpr (is_factory<Plain>) {
      using Made = std::remove_cvref_t<std::invoke_result_t<Plain&, const Config&>>;
      using Kept = std::conditional_t<std::convertible_to<Made, LayerRef>, LayerRef, Made>;
      // The analyzer does not see that std::any owns what it holds.
      // NOLINTNEXTLINE(clang-analyzer-cplusplus.NewDeleteLeaks)
      return unless_empty(std::function<Kept(const Config&)>(std::forward<F>(object)));
    } else if constexpr (is_pair_function<Plain>) {
      return unless_empty(std::function<Tensor(const Tensor&, const Tensor&)>(std::forward<F>(object)));
    } else if constexpr (is_function<Plain>) {
      return unless_empty(std::function<Tensor(const Tensor&)>(std::forward<F>(object)));
    } else {
      return unless_empty(InitialValue(std::forward<F>(object)));
    }
  }

  std::any value_;
};

/// By name, for one place instead of the whole program, as Keras' custom_objects:
///     {{"CustomDense", factory}, {"quantile_loss", function}}
using CustomObjects = std::map<std::string, CustomObject>;

/// Makes a class or a function known to everything that reads configs, model files among them, and to everything that
/// takes a name: `register_custom_object("quantile_loss", f); model.compile({.loss = "quantile_loss"})`. It wins over a
/// class of Keras. Thread-safe. Throws ConfigError for an empty name or function, and when the name is known already.
void register_custom_object(const std::string& name, const CustomObject& object);

/// Makes `objects` known to this thread until the end of the scope; they win over all others.
class CustomObjectScope {
 public:
  explicit CustomObjectScope(CustomObjects objects);
  ~CustomObjectScope();
  CustomObjectScope(const CustomObjectScope&) = delete;
  CustomObjectScope& operator=(const CustomObjectScope&) = delete;

 private:
  friend std::optional<CustomObject> find_custom_object(const std::string& name, const std::type_info& type);
  CustomObjects objects_;
  const CustomObjectScope* outer_;
};

/// What is known under a name as a std::function of this type, void = any; a name with a package, "package>quantile",
/// also finds what is known without it.
std::optional<CustomObject> find_custom_object(const std::string& name, const std::type_info& type);
template <class T>
std::optional<T> find_custom(const std::string& name) {
  const auto object = find_custom_object(name, typeid(T));
  return object ? std::optional<T>(object->as<T>()) : std::nullopt;
}

/// For errors about a name that configs have and nobody knows: how to make it known.
std::string how_to_make_known(const std::string& name);

}  // namespace strata
