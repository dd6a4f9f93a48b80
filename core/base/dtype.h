// SPDX-License-Identifier: Apache-2.0
// Element types of tensors, and the one place where a run-time type becomes a C++ type.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>
#include <type_traits>
#include <utility>

namespace strata {

/// `boolean` holds one byte an element, 0 or 1; its Keras name is "bool".
enum class Dtype : std::uint8_t { boolean, uint8, int32, int64, float32, float64 };

/// The Keras name: "bool", "uint8", "int32", "int64", "float32", "float64".
std::string_view to_string(Dtype dtype);

/// Reads a Keras name. Throws ConfigError on any other text.
Dtype dtype_from_string(std::string_view name);

constexpr std::size_t size_of(Dtype dtype) {
  switch (dtype) {
    case Dtype::boolean:
    case Dtype::uint8: return 1;
    case Dtype::int32:
    case Dtype::float32: return 4;
    case Dtype::int64:
    case Dtype::float64: return 8;
  }
  return 0;
}

constexpr bool is_floating(Dtype dtype) { return dtype == Dtype::float32 || dtype == Dtype::float64; }

template <class T>
struct TypeTag {
  using type = T;
};

/// Calls `f(TypeTag<T>{})` with the C++ type of `dtype` (bool elements are `bool`).
template <class F>
decltype(auto) visit_dtype(Dtype dtype, F&& f) {
  switch (dtype) {
    case Dtype::boolean: return std::forward<F>(f)(TypeTag<bool>{});
    case Dtype::uint8: return std::forward<F>(f)(TypeTag<std::uint8_t>{});
    case Dtype::int32: return std::forward<F>(f)(TypeTag<std::int32_t>{});
    case Dtype::int64: return std::forward<F>(f)(TypeTag<std::int64_t>{});
    case Dtype::float32: return std::forward<F>(f)(TypeTag<float>{});
    case Dtype::float64: break;
  }
  return std::forward<F>(f)(TypeTag<double>{});
}

/// The Dtype of a C++ element type.
template <class T>
constexpr Dtype dtype_of() {
  if constexpr (std::is_same_v<T, bool>) return Dtype::boolean;
  else if constexpr (std::is_same_v<T, std::uint8_t>) return Dtype::uint8;
  else if constexpr (std::is_same_v<T, std::int32_t>) return Dtype::int32;
  else if constexpr (std::is_same_v<T, std::int64_t>) return Dtype::int64;
  else if constexpr (std::is_same_v<T, float>) return Dtype::float32;
  else {
    static_assert(std::is_same_v<T, double>, "not an element type of Strata");
    return Dtype::float64;
  }
}

}  // namespace strata
