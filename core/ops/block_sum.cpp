// SPDX-License-Identifier: Apache-2.0
#include "core/ops/ops.h"

namespace strata::ops {

Tensor block_sum(const Tensor& x) { return x; }

}  // namespace strata::ops
