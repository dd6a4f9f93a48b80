// SPDX-License-Identifier: Apache-2.0
// Counts what operator new hands out, in all threads. Linking this in replaces the global operators.
#pragma once

namespace strata::testing {

void start_counting_allocations();
/// The number of allocations since counting started.
int stop_counting_allocations();

}  // namespace strata::testing
