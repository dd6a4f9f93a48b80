// SPDX-License-Identifier: Apache-2.0
#include "distributed/mpi/mpi_watchdog.h"

#include <fmt/format.h>

#include <cstdio>
#include <cstdlib>

#include "distributed/rank_identity.h"

namespace strata {

MpiWatchdog::MpiWatchdog(std::string_view call, int rank, std::chrono::steady_clock::duration limit,
                         std::string_view hint)
    : message_(fmt::format("strata: {} did not return within {:g} s on {}: {} Exiting.\n", call,
                           std::chrono::duration<double>(limit).count(), describe_rank(rank, own_identity()), hint)),
      thread_([this, limit] { watch(limit); }) {}

MpiWatchdog::~MpiWatchdog() {
  {
    const std::lock_guard lock(mutex_);
    done_ = true;
  }
  changed_.notify_one();
  thread_.join();
}

void MpiWatchdog::watch(std::chrono::steady_clock::duration limit) const {
  std::unique_lock lock(mutex_);
  if (changed_.wait_for(lock, limit, [this] { return done_; })) return;
  std::fputs(message_.c_str(), stderr);
  std::_Exit(EXIT_FAILURE);
}

}  // namespace strata
