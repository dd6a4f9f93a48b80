// SPDX-License-Identifier: Apache-2.0
// A picture in host memory, as decoders make it.
#pragma once

#include <vector>

#include "core/tensor/tensor.h"

namespace strata {

/// uint8 (height, width, channels).
struct Pixels {
  Shape shape;
  std::vector<unsigned char> values;

  Tensor tensor() const { return constant_bytes(values.data(), values.size(), {shape, Dtype::uint8}); }
};

}  // namespace strata
