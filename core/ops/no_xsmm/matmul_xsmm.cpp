// SPDX-License-Identifier: Apache-2.0
// Stands in for libxsmm in builds without it.
#include "core/ops/matmul.h"

namespace strata {

Prepared prepare_matmul_thin_xsmm(const KernelRequest&) { return "built without libxsmm"; }
Prepared prepare_matmul_xsmm(const KernelRequest&) { return "built without libxsmm"; }

}  // namespace strata
