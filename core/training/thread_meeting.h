// SPDX-License-Identifier: Apache-2.0
// Where the threads of one rank wait for each other in the middle of a step.
#pragma once

#include <atomic>
#include <thread>

namespace strata {

/// A barrier in two halves: one thread, the leader, acts alone between the arrival of the others and their dismissal.
/// A thread that fails abandons the meeting, so that nobody waits for it.
class ThreadMeeting {
 public:
  /// Before the threads begin.
  void reset();
  /// For all but the leader: waits to be dismissed. False when the meeting was abandoned.
  bool attend();
  /// For the leader: calls `meanwhile` until `others` threads attend. False when the meeting was abandoned.
  template <class F>
  bool gather(int others, const F& meanwhile) const {
    while (round_.load(std::memory_order_acquire) != kAbandoned) {
      if (attending_.load(std::memory_order_acquire) == others) return true;
      meanwhile();
      std::this_thread::yield();
    }
    return false;
  }
  /// For the leader, after gather(): lets the others go on.
  void dismiss();
  /// For any thread, at any time.
  void abandon();

 private:
  static constexpr int kAbandoned = -1;

  std::atomic<int> attending_{0};
  std::atomic<int> round_{0};
};

}  // namespace strata
