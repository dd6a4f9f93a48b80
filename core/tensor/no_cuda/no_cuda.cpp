// SPDX-License-Identifier: Apache-2.0
// Stands in for the CUDA device in builds without CUDA.
#include "core/base/error.h"
#include "core/tensor/device.h"

namespace strata {

Device& cuda_device(int) { throw ConfigError("This build of Strata has no CUDA: configure it with -DSTRATA_CUDA=ON."); }

int cuda_device_count() { return 0; }

}  // namespace strata
