// SPDX-License-Identifier: Apache-2.0
#include <libxsmm.h>
#include <libxsmm_version.h>

#include "core/ops/instruction_sets.h"

namespace strata {

std::string xsmm_instruction_set() {
  return std::string("libxsmm " LIBXSMM_CONFIG_VERSION " for ") + libxsmm_get_target_arch();
}

}  // namespace strata
