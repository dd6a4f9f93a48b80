// SPDX-License-Identifier: Apache-2.0
#include "tests/support/ranks.h"

#include <gtest/gtest.h>

#include <chrono>
#include <condition_variable>
#include <cstdio>
#include <cstdlib>
#include <mutex>
#include <string>
#include <thread>

#include "core/model/session.h"
#include "distributed/local/local_communicator.h"

namespace strata::testing {
namespace {

// Longer than the first deadline (60 s): what truly hangs says itself who waits for whom; what is slow ends here.
constexpr std::chrono::seconds kLimit{100};

std::string test_name() {
  const ::testing::TestInfo* info = ::testing::UnitTest::GetInstance()->current_test_info();
  return info == nullptr ? "a test" : std::string(info->test_suite_name()) + "." + info->name();
}

// Ends the program with the name of the test unless destroyed in time.
class Watchdog {
 public:
  Watchdog() : thread_([this] { watch(); }) {}
  ~Watchdog() {
    {
      const std::lock_guard lock(mutex_);
      done_ = true;
    }
    changed_.notify_one();
    thread_.join();
  }
  Watchdog(const Watchdog&) = delete;
  Watchdog& operator=(const Watchdog&) = delete;

 private:
  void watch() {
    std::unique_lock lock(mutex_);
    if (changed_.wait_for(lock, kLimit, [this] { return done_; })) return;
    std::fprintf(stderr, "%s hangs: its ranks are not back after 100 s\n", name_.c_str());
    std::_Exit(EXIT_FAILURE);
  }

  std::string name_ = test_name();
  std::mutex mutex_;
  std::condition_variable changed_;
  bool done_ = false;
  std::thread thread_;
};

}  // namespace

void run_ranks(int ranks, const std::function<void(Communicator&)>& run, const std::vector<int>& hosts) {
  const Watchdog watchdog;
  run_local_ranks(
      ranks,
      [&](const std::shared_ptr<Communicator>& communicator) {
        Session session(communicator);
        const SessionScope scope(session);
        run(*communicator);
      },
      hosts);
}

}  // namespace strata::testing
