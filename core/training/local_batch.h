// SPDX-License-Identifier: Apache-2.0
// Internal to Trainer: a batch of which every rank has a part of its own.
#pragma once

#include <cstdint>
#include <exception>
#include <vector>

#include "core/program/communicator.h"

namespace strata {

/// What a rank says of its part.
struct LocalPart {
  Dim rows = 0;
  std::uint64_t kind = 0;              // a hash of all that must be equal on all ranks
  bool is_new = false;                 // this rank has something to compile for it
  std::exception_ptr error = nullptr;  // why there is no part
};

/// The samples of all ranks, in the order of ranks.
struct LocalBatch {
  std::vector<Dim> limits;  // where the part of each rank begins; then the number of all samples
  bool is_new = false;      // on some rank
};

/// One message to all ranks. Collective. Throws on every rank when one has no part: there its own error, on the others
/// ConfigError naming it; ConfigError as well when kinds differ or no rank has a sample. Communication can go on after
/// these.
LocalBatch join_local_parts(Communicator& communicator, const LocalPart& own);

}  // namespace strata
