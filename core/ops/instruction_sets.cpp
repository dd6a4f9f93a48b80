// SPDX-License-Identifier: Apache-2.0
#include "core/ops/instruction_sets.h"

#include "core/base/simd.h"

namespace strata {

std::string instruction_sets() {
  return std::string(instruction_set()) + ", " + onednn_instruction_set() + ", " + xsmm_instruction_set();
}

}  // namespace strata
