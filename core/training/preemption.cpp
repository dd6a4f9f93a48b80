// SPDX-License-Identifier: Apache-2.0
#include "core/training/preemption.h"

#include <signal.h>

#include <atomic>

#include "core/training/checkpoint.h"

namespace strata {
namespace {

using Clock = std::chrono::steady_clock;

std::atomic<int> requests = 0;
std::atomic<Clock::rep> first_request = 0;  // set before `requests` is
static_assert(std::atomic<int>::is_always_lock_free && std::atomic<Clock::rep>::is_always_lock_free);

void handle(int) { request_preemption(); }

}  // namespace

void request_preemption() noexcept {
  Clock::rep none = 0;
  first_request.compare_exchange_strong(none, Clock::now().time_since_epoch().count());
  requests.fetch_add(1);
}

std::optional<PreemptionRequest> preemption_request() noexcept {
  const int told = requests.load();
  if (told == 0) return {};
  return PreemptionRequest{Clock::time_point(Clock::duration(first_request.load())), told > 1};
}

void forget_preemption() noexcept {
  requests = 0;
  first_request = 0;
}

void preempt_on_signals() {
  struct sigaction action {};
  action.sa_handler = handle;
  action.sa_flags = SA_RESTART;  // what waits or writes goes on
  sigemptyset(&action.sa_mask);
  for (const int signal : {SIGTERM, SIGUSR1, SIGINT}) {
    if (sigaction(signal, &action, nullptr) != 0) throw InternalError("signals cannot be caught");
  }
}

}  // namespace strata
