// SPDX-License-Identifier: Apache-2.0
// A time limit for calls of MPI that cannot be polled.
#pragma once

#include <chrono>
#include <condition_variable>
#include <mutex>
#include <string>
#include <string_view>
#include <thread>

namespace strata {

/// While it lives, a thread waits for the end of `call`. When the limit passes first, the process says on stderr who
/// waits, for what, and where to look (`hint`), and exits with EXIT_FAILURE: a call that does not return cannot become
/// an exception. So it is for calls that Strata makes on its own account, where it has initialised MPI itself; under a
/// program that uses MPI, calls are made that can be polled.
class MpiWatchdog {
 public:
  MpiWatchdog(std::string_view call, int rank, std::chrono::steady_clock::duration limit, std::string_view hint);
  ~MpiWatchdog();
  MpiWatchdog(const MpiWatchdog&) = delete;
  MpiWatchdog& operator=(const MpiWatchdog&) = delete;

 private:
  void watch(std::chrono::steady_clock::duration limit) const;

  std::string message_;
  mutable std::mutex mutex_;
  mutable std::condition_variable changed_;
  bool done_ = false;
  std::thread thread_;
};

}  // namespace strata
