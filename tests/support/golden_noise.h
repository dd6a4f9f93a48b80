// SPDX-License-Identifier: Apache-2.0
// Arrays that golden files need not hold: a function of the element's number, the same as in
// tests/golden/guide_models.py.
#pragma once

#include <cmath>
#include <cstdint>
#include <vector>

#include "core/tensor/tensor.h"

namespace strata::testing {

/// Between -height and height: the number of the element, mixed as by a 32-bit hash.
inline Tensor noise(const Shape& shape, double height) {
  std::vector<float> values(static_cast<std::size_t>(shape.elements()));
  for (std::size_t i = 0; i < values.size(); ++i) {
    auto x = static_cast<std::uint32_t>(i * 2654435761U + 12345U);
    x = (x ^ (x >> 16U)) * 0x45D9F3BU;
    x ^= x >> 16U;
    values[i] = static_cast<float>(height * (static_cast<double>(x) / 2147483648.0 - 1.0));
  }
  return constant(values, shape);
}

/// As high as Glorot's uniform values for matrices, 0.1 for vectors.
inline Tensor noise_weight(const Shape& shape) {
  if (shape.rank() < 2) return noise(shape, 0.1);
  const auto last = static_cast<double>(shape.back()), others = static_cast<double>(shape.elements()) / last;
  return noise(shape, std::sqrt(6.0 / (others + last)));
}

}  // namespace strata::testing
