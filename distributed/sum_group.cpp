// SPDX-License-Identifier: Apache-2.0
#include "distributed/sum_group.h"

#include <algorithm>

namespace strata {

PortWatch::PortWatch(std::vector<SumPort*> ports, int own_place, int first_rank)
    : ports_(std::move(ports)), own_(static_cast<std::size_t>(own_place)), first_rank_(first_rank) {}

void PortWatch::arrive(const CallStamp& stamp) {
  ++times_;
  next_ = 0;
  SumPort& port = *ports_[own_];
  port.stamp = stamp;
  port.arrived.store(times_, std::memory_order_release);
}

bool PortWatch::all_arrived() {
  const CallStamp& own = ports_[own_]->stamp;
  for (; next_ < ports_.size(); ++next_) {
    const SumPort& port = *ports_[next_];
    if (port.arrived.load(std::memory_order_acquire) < times_) return false;
    const CallStamp& theirs = port.stamp;
    if (theirs != own) throw Diverged{first_rank_ + static_cast<int>(next_), theirs};
  }
  return true;
}

void PortWatch::finish() { ports_[own_]->done.store(times_, std::memory_order_release); }

bool PortWatch::all_done() const {
  return std::all_of(ports_.begin(), ports_.end(),
                     [&](const SumPort* port) { return port->done.load(std::memory_order_acquire) >= times_; });
}

int PortWatch::first_missing() const { return first_rank_ + static_cast<int>(std::min(next_, ports_.size() - 1)); }

int PortWatch::first_unfinished() const {
  const auto found = std::find_if(ports_.begin(), ports_.end(), [&](const SumPort* port) {
    return port->done.load(std::memory_order_acquire) < times_;
  });
  // They may all be by now.
  return first_rank_ + static_cast<int>(std::min<std::ptrdiff_t>(found - ports_.begin(), std::ssize(ports_) - 1));
}

}  // namespace strata
