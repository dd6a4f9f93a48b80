// SPDX-License-Identifier: Apache-2.0
// Kernels for float16 and bfloat16 out of those for float32: every op on halves is computed in float32 and its results
// are rounded once.
#pragma once

#include "core/ops/kernel.h"

namespace strata {

bool has_halves(const KernelRequest& request);

/// What the candidate makes of the request with float32 in place of half dtypes, between conversions in scratch memory.
Prepared prepare_widened(const Candidate& candidate, const KernelRequest& request);

}  // namespace strata
