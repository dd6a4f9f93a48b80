// SPDX-License-Identifier: Apache-2.0
// Internal: whether this process was told to save and stop.
#pragma once

#include <chrono>
#include <optional>

namespace strata {

struct PreemptionRequest {
  std::chrono::steady_clock::time_point when;  // first told
  bool at_once = false;                        // told again
};

/// Empty while nobody has told. Thread-safe.
std::optional<PreemptionRequest> preemption_request() noexcept;

/// As if nobody had told; for tests.
void forget_preemption() noexcept;

}  // namespace strata
