// SPDX-License-Identifier: Apache-2.0
#include "distributed/patience.h"

#include <fmt/format.h>
#include <sched.h>

#include <cstdlib>

#include "core/base/error.h"

namespace strata {
namespace {

// About the time a message takes between two cores; longer waits are worth a system call.
constexpr int kSpins = 200;
// On a busy machine, where a poll of MPI gives the core away, so many polls can take seconds.
constexpr std::chrono::milliseconds kLongestSpin{1};

}  // namespace

Deadlines default_deadlines() {
  const char* text = std::getenv("STRATA_DEADLINE");
  if (text == nullptr || *text == '\0') return {};
  char* end = nullptr;
  const double seconds = std::strtod(text, &end);
  constexpr double kYear = 365.0 * 24 * 3600;
  if (*end != '\0' || !(seconds > 0) || seconds > kYear) {
    throw ConfigError(fmt::format("STRATA_DEADLINE: expected a positive number of seconds, received \"{}\"", text));
  }
  const auto deadline =
      std::chrono::duration_cast<Communicator::Clock::duration>(std::chrono::duration<double>(seconds));
  return {deadline, deadline};
}

void Patience::restart() {
  since_ = Transport::Clock::now();
  idle_polls_ = 0;
  seen_lost_ = false;
}

bool Patience::idle(const Awaited& awaited) {
  if (idle_polls_ < kSpins && Transport::Clock::now() - since_ < kLongestSpin) {
    ++idle_polls_;
    return false;
  }
  const int lost = transport_.lost_rank(awaited.peer);
  // A rank may finish its last message just before it ends: only a poll after the loss was seen tells.
  if (lost >= 0 && seen_lost_) fail_lost(lost);
  seen_lost_ = lost >= 0;
  if (waited() > deadline_) fail_late(awaited);
  sched_yield();
  return true;
}

/// "block sum 3, epoch 0, step 5".
std::string Patience::place() const {
  std::string text(operation_);
  if (position_.epoch >= 0) text += fmt::format(", epoch {}", position_.epoch);
  if (position_.step >= 0) text += fmt::format(", step {}", position_.step);
  return text;
}

void Patience::fail_lost(int lost) const {
  throw CommError(
      transport_.rank(), lost, std::string(operation_),
      fmt::format("rank {} cannot finish {}: {} has ended.", transport_.rank(), place(), transport_.describe(lost)));
}

void Patience::fail_late(const Awaited& awaited) const {
  using What = Awaited::What;
  const double seconds = std::chrono::duration<double>(waited()).count();
  const std::string whom = awaited.peer < 0 ? "its own device" : transport_.describe(awaited.peer);
  const char* what = "the work was not done";
  if (awaited.what == What::message) what = "no message";
  if (awaited.what == What::room) what = "it took no message";
  if (awaited.what == What::arrival) what = "it has not come to it";
  if (awaited.what == What::work) what = "it has not done its part";
  throw CommError(transport_.rank(), awaited.peer, std::string(operation_),
                  fmt::format("rank {} waited {:.1f} s for {} in {}: {}. It may have died, or need longer than the "
                              "deadline (STRATA_DEADLINE, --deadline or set_deadlines) allows.",
                              transport_.rank(), seconds, whom, place(), what));
}

}  // namespace strata
