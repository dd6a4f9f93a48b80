// SPDX-License-Identifier: Apache-2.0
// Internal: texts of any length that ranks tell each other. Collective.
#pragma once

#include <string>
#include <vector>

#include "core/program/communicator.h"

namespace strata {

/// Those of all ranks, in their order, on rank 0; nothing on the others.
std::vector<std::string> gather_texts(Communicator& communicator, const std::string& own);

/// Those of all ranks, in their order, on every rank.
std::vector<std::string> allgather_texts(Communicator& communicator, const std::string& own);

/// That of `root`, on every rank.
std::string broadcast_text(Communicator& communicator, std::string own, int root = 0);

}  // namespace strata
