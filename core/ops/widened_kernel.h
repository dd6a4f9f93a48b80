// SPDX-License-Identifier: Apache-2.0
// Kernels for float16 and bfloat16 out of those for float32: every op on halves is computed in float32 and its results
// are rounded once.
#pragma once

#include "core/ops/kernel.h"

namespace strata {

/// Whether the candidate is asked for a kernel of float32 instead of the request's own dtypes: on the CPU, whose loops
/// convert.
bool widens(const Candidate& candidate, const KernelRequest& request);

/// What the candidate makes of the request; where it widens, a float32 kernel between conversions in scratch memory.
Prepared prepare(const Candidate& candidate, const KernelRequest& request);

}  // namespace strata
