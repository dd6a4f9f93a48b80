// SPDX-License-Identifier: Apache-2.0
// What the kernels built on libxsmm share.
#pragma once

#include "core/base/shape.h"

namespace strata::xsmm {

// Without blocking an operand is read again for every tile of the other, so all of them should stay in the second-level
// cache. 512 KB is the smallest on current server cores; a constant, since the choice must not depend on the host.
inline constexpr Dim kCacheBytes = 512 * 1024;

/// to (columns, rows) = from (rows, columns), whose rows are `stride` elements apart.
inline void transpose(const float* from, float* to, Dim rows, Dim columns, Dim stride) {
  for (Dim j = 0; j < columns; ++j) {
    for (Dim i = 0; i < rows; ++i) to[j * rows + i] = from[i * stride + j];
  }
}

}  // namespace strata::xsmm
