// SPDX-License-Identifier: Apache-2.0
#include "core/base/dtype.h"

#include <array>
#include <string>

#include "core/base/error.h"

namespace strata {
namespace {
constexpr std::array<std::string_view, 8> kNames = {"bool",    "uint8",    "int32",   "int64",
                                                    "float16", "bfloat16", "float32", "float64"};
}

std::string_view to_string(Dtype dtype) { return kNames[static_cast<std::size_t>(dtype)]; }

Dtype dtype_from_string(std::string_view name) {
  for (std::size_t i = 0; i < kNames.size(); ++i) {
    if (kNames[i] == name) return static_cast<Dtype>(i);
  }
  throw ConfigError(
      "Unknown dtype: expected one of bool, uint8, int32, int64, float16, bfloat16, float32, float64, received '" +
      std::string(name) + "'");
}

void detail::refuse_half(Dtype dtype) {
  throw InternalError("There is no arithmetic on " + std::string(to_string(dtype)) + ": widen it to float32 first");
}

}  // namespace strata
