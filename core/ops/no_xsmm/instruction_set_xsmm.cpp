// SPDX-License-Identifier: Apache-2.0
// Stands in for libxsmm in builds without it.
#include "core/ops/instruction_sets.h"

namespace strata {

std::string xsmm_instruction_set() { return "no libxsmm"; }

}  // namespace strata
