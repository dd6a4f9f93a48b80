// SPDX-License-Identifier: Apache-2.0
// Internal to max_pool: the kernels of its three ops, for input 0 of float32 and float64.
#pragma once

#include "core/ops/kernel.h"
#include "core/ops/window.h"

namespace strata {

/// input x.
Prepared prepare_max_pool(const Window& window, const KernelRequest& request);
/// inputs x, grad.
Prepared prepare_max_pool_backward(const Window& window, const KernelRequest& request);
/// inputs x, values.
Prepared prepare_max_pool_select(const Window& window, const KernelRequest& request);

}  // namespace strata
