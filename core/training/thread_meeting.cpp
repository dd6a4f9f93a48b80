// SPDX-License-Identifier: Apache-2.0
#include "core/training/thread_meeting.h"

namespace strata {

void ThreadMeeting::reset() {
  attending_.store(0, std::memory_order_relaxed);
  round_.store(0, std::memory_order_release);
}

bool ThreadMeeting::attend() {
  const int round = round_.load(std::memory_order_acquire);
  if (round == kAbandoned) return false;
  attending_.fetch_add(1, std::memory_order_release);
  round_.wait(round, std::memory_order_acquire);
  return round_.load(std::memory_order_acquire) != kAbandoned;
}

void ThreadMeeting::dismiss() {
  // Before the round changes: who is dismissed may attend the next one at once.
  attending_.store(0, std::memory_order_relaxed);
  int round = round_.load(std::memory_order_relaxed);
  if (round != kAbandoned) round_.compare_exchange_strong(round, round + 1, std::memory_order_release);
  round_.notify_all();
}

void ThreadMeeting::abandon() {
  round_.store(kAbandoned, std::memory_order_release);
  round_.notify_all();
}

}  // namespace strata
