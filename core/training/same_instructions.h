// SPDX-License-Identifier: Apache-2.0
// Ranks that round differently must not train together.
#pragma once

#include <string>

#include "core/program/communicator.h"

namespace strata {

/// Throws ConfigError on every rank unless `own` (core/ops/instruction_sets.h; cut off after 255 bytes) is the same on
/// all of them; it says what which ranks have. Collective.
void require_same_instructions(Communicator& communicator, const std::string& own);

}  // namespace strata
