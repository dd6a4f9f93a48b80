// SPDX-License-Identifier: Apache-2.0
// What every sum over blocks is made of.
#pragma once

#include "core/base/dtype.h"
#include "core/base/shape.h"

namespace strata {

/// to[i] += from[i] for `count` elements of a floating dtype in memory that the host can touch, which do not overlap.
/// Whether tiny values are flushed to zero does not depend on the thread.
void add_elements(Dtype dtype, void* to, const void* from, Dim count);

}  // namespace strata
