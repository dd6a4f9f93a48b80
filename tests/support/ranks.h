// SPDX-License-Identifier: Apache-2.0
// Ranks as threads, for tests.
#pragma once

#include <functional>
#include <vector>

#include "core/program/communicator.h"

namespace strata::testing {

/// Calls `run(communicator)` for each of `ranks` ranks in a thread of its own, where Session::current() is a session of
/// that rank. `hosts` as run_local_ranks() says. The first exception is thrown again here. A test that takes longer
/// than 100 s is named and ends the program.
void run_ranks(int ranks, const std::function<void(Communicator&)>& run, const std::vector<int>& hosts = {});

}  // namespace strata::testing
