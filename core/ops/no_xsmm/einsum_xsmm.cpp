// SPDX-License-Identifier: Apache-2.0
#include "core/ops/einsum_op.h"

namespace strata {

Prepared prepare_einsum_xsmm(const KernelRequest&) { return "built without libxsmm"; }

}  // namespace strata
