// SPDX-License-Identifier: Apache-2.0
// What compressed sums have rounded away and still owe.
#pragma once

#include <cstdint>
#include <memory>

#include "core/tensor/device.h"

namespace strata {

/// What the roundings of a compressing sum took away on one rank so far: it is added where they round next.
struct RoundingErrors {
  std::shared_ptr<Storage> values = nullptr;  // float32, in host memory; null where nothing is rounded
  std::uint64_t layout = 0;  // equal where the same values belong to the same roundings, in one version of Strata
};

/// A PreparedCollective that may compress.
class KeepsRoundingErrors {
 public:
  virtual ~KeepsRoundingErrors() = default;
  /// To be read, and set, only while it is done. Not collective.
  virtual RoundingErrors rounding_errors() const = 0;
};

}  // namespace strata
