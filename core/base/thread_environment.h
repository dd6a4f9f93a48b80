// SPDX-License-Identifier: Apache-2.0
// What every thread that computes has in common, so that bits depend on nothing a caller did before.
#pragma once

#include <cstdint>

namespace strata {

/// Until the end of the scope, on this thread: round to nearest, denormals flushed to zero, one OpenMP thread a kernel.
/// Restores what it found. Cheap enough for every step.
class ThreadEnvironment {
 public:
  ThreadEnvironment();
  ~ThreadEnvironment();
  ThreadEnvironment(const ThreadEnvironment&) = delete;
  ThreadEnvironment& operator=(const ThreadEnvironment&) = delete;

 private:
  std::uint64_t floating_point_;
  int threads_;
};

}  // namespace strata
