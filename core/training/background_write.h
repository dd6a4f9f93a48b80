// SPDX-License-Identifier: Apache-2.0
// Internal to CheckpointWriter: a write in a thread of its own, which a file system may keep for ever.
#pragma once

#include <chrono>
#include <functional>
#include <future>
#include <thread>

#include "core/base/config.h"

namespace strata {

/// Used from one thread.
class BackgroundWrite {
 public:
  using Clock = std::chrono::steady_clock;
  /// `write` owns all that it uses: a thread that hangs is left to itself, with it, `patience` after it began.
  BackgroundWrite(std::function<Config()> write, Clock::duration patience) : give_up_(Clock::now() + patience) {
    std::packaged_task<Config()> task(std::move(write));
    result_ = task.get_future();
    thread_ = std::thread(std::move(task));
  }
  /// Waits for its end, or until then.
  ~BackgroundWrite() {
    if (result_.wait_until(give_up_) == std::future_status::ready) thread_.join();
    else thread_.detach();
  }
  BackgroundWrite(const BackgroundWrite&) = delete;
  BackgroundWrite& operator=(const BackgroundWrite&) = delete;

  bool done() const { return result_.wait_for(std::chrono::seconds(0)) == std::future_status::ready; }
  bool is_late() const { return !done() && Clock::now() >= give_up_; }
  /// Waits for its end; throws what it threw.
  const Config& result() const { return result_.get(); }

 private:
  Clock::time_point give_up_;
  std::shared_future<Config> result_;
  std::thread thread_;
};

}  // namespace strata
