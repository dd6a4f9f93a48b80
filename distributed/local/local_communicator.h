// SPDX-License-Identifier: Apache-2.0
// Ranks that are threads of one process.
#pragma once

#include <functional>
#include <memory>
#include <vector>

#include "core/program/communicator.h"

namespace strata {

/// The communicators of `ranks` (at least 1) ranks, in rank order. They act as if they ran on hosts with so many ranks
/// each, one after the other (one host when there are none): between hosts they send messages. Each may move to a
/// thread of its own and be used by one thread at a time. When one is destroyed, waits of others for that rank end with
/// CommError at once; when that happens because of an exception, all waits do.
std::vector<std::shared_ptr<Communicator>> make_local_communicators(int ranks, const std::vector<int>& hosts = {});

/// Calls `run(communicator)` for every rank in a thread of its own and returns when all are back. An exception in one
/// rank ends the waits of the others; the first one is thrown again here. `hosts` as above.
void run_local_ranks(int ranks, const std::function<void(const std::shared_ptr<Communicator>&)>& run,
                     const std::vector<int>& hosts = {});

}  // namespace strata
