// SPDX-License-Identifier: Apache-2.0
// Sizes that come from files, where they may be anything.
#pragma once

#include <limits>
#include <optional>

#include "core/tensor/tensor.h"

namespace strata {

/// The size in bytes of an array that a file describes; nothing for dimensions below 0, and for a size that exceeds any
/// memory. Dimensions of 0 make no others smaller: where one is, the others still are checked.
inline std::optional<std::size_t> checked_bytes(const TensorSpec& spec) {
  constexpr std::size_t most = std::numeric_limits<std::int64_t>::max();
  std::size_t bytes = size_of(spec.dtype);
  bool empty = false;
  for (const Dim dim : spec.shape) {
    if (dim < 0 || (dim > 0 && bytes > most / static_cast<std::size_t>(dim))) return {};
    if (dim == 0) empty = true;
    else bytes *= static_cast<std::size_t>(dim);
  }
  return empty ? 0 : bytes;
}

}  // namespace strata
