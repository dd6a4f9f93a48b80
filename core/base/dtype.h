// SPDX-License-Identifier: Apache-2.0
// Element types of tensors, and the one place where a run-time type becomes a C++ type.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>
#include <type_traits>
#include <utility>

#include "core/base/half.h"

namespace strata {

/// `boolean` holds one byte an element, 0 or 1; its Keras name is "bool".
enum class Dtype : std::uint8_t { boolean, uint8, int32, int64, float16, bfloat16, float32, float64 };

/// The Keras name: "bool", "uint8", "int32", "int64", "float16", "bfloat16", "float32", "float64".
std::string_view to_string(Dtype dtype);

/// Reads a Keras name. Throws ConfigError on any other text.
Dtype dtype_from_string(std::string_view name);

constexpr std::size_t size_of(Dtype dtype) {
  switch (dtype) {
    case Dtype::boolean:
    case Dtype::uint8: return 1;
    case Dtype::float16:
    case Dtype::bfloat16: return 2;
    case Dtype::int32:
    case Dtype::float32: return 4;
    case Dtype::int64:
    case Dtype::float64: return 8;
  }
  return 0;
}

/// Whether elements are only stored in this type: arithmetic on them is that of float32, rounded to it.
constexpr bool is_half(Dtype dtype) { return dtype == Dtype::float16 || dtype == Dtype::bfloat16; }
constexpr bool is_floating(Dtype dtype) { return is_half(dtype) || dtype == Dtype::float32 || dtype == Dtype::float64; }
/// The type that elements are computed in: float32 for those of 16 bits, the type itself for others.
constexpr Dtype widened(Dtype dtype) { return is_half(dtype) ? Dtype::float32 : dtype; }

template <class T>
struct TypeTag {
  using type = T;
};

namespace detail {
[[noreturn]] void refuse_half(Dtype dtype);
}

/// Calls `f(TypeTag<T>{})` with the C++ type of `dtype` (bool elements are `bool`), in which arithmetic is done. Throws
/// InternalError for float16 and bfloat16.
template <class F>
decltype(auto) visit_dtype(Dtype dtype, F&& f) {
  switch (dtype) {
    case Dtype::boolean: return std::forward<F>(f)(TypeTag<bool>{});
    case Dtype::uint8: return std::forward<F>(f)(TypeTag<std::uint8_t>{});
    case Dtype::int32: return std::forward<F>(f)(TypeTag<std::int32_t>{});
    case Dtype::int64: return std::forward<F>(f)(TypeTag<std::int64_t>{});
    case Dtype::float16:
    case Dtype::bfloat16: detail::refuse_half(dtype);
    case Dtype::float32: return std::forward<F>(f)(TypeTag<float>{});
    case Dtype::float64: break;
  }
  return std::forward<F>(f)(TypeTag<double>{});
}

/// The same for what only stores or converts elements: also for Float16 and Bfloat16.
template <class F>
decltype(auto) visit_element(Dtype dtype, F&& f) {
  if (dtype == Dtype::float16) return std::forward<F>(f)(TypeTag<Float16>{});
  if (dtype == Dtype::bfloat16) return std::forward<F>(f)(TypeTag<Bfloat16>{});
  return visit_dtype(dtype, std::forward<F>(f));
}

/// The Dtype of a C++ element type.
template <class T>
constexpr Dtype dtype_of() {
  if constexpr (std::is_same_v<T, bool>) return Dtype::boolean;
  else if constexpr (std::is_same_v<T, std::uint8_t>) return Dtype::uint8;
  else if constexpr (std::is_same_v<T, std::int32_t>) return Dtype::int32;
  else if constexpr (std::is_same_v<T, std::int64_t>) return Dtype::int64;
  else if constexpr (std::is_same_v<T, Float16>) return Dtype::float16;
  else if constexpr (std::is_same_v<T, Bfloat16>) return Dtype::bfloat16;
  else if constexpr (std::is_same_v<T, float>) return Dtype::float32;
  else {
    static_assert(std::is_same_v<T, double>, "not an element type of Strata");
    return Dtype::float64;
  }
}

}  // namespace strata
