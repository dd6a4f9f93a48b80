// SPDX-License-Identifier: Apache-2.0
#include "distributed/local/local_transport.h"

#include <fmt/format.h>
#include <sched.h>

#include <algorithm>
#include <cstring>
#include <exception>

#include "core/base/error.h"

namespace strata {

LocalTransport::LocalTransport(std::shared_ptr<LocalWorld> world, int rank)
    : world_(std::move(world)), rank_(rank), identity_(own_identity()) {}

LocalTransport::~LocalTransport() {
  for (std::size_t i = 0; i < slots_.size(); ++i) {
    if (slots_[i].state != Slot::State::free) cancel(static_cast<Request>(i));
  }
  world_->leave(rank_, std::uncaught_exceptions() > 0);
}

std::string LocalTransport::describe(int rank) const {
  return fmt::format("rank {} (host {}, pid {}, thread {})", rank, identity_.host.data(), identity_.pid, rank);
}

void LocalTransport::reserve(int requests) {
  const auto wanted = static_cast<std::size_t>(requests);
  free_.reserve(wanted);
  posted_.reserve(wanted);
  while (slots_.size() < wanted) {
    free_.push_back(static_cast<Request>(slots_.size()));
    slots_.emplace_back();
  }
}

Transport::Request LocalTransport::new_slot() {
  if (free_.empty()) reserve(static_cast<int>(slots_.size()) + 1);
  const Request request = free_.back();
  free_.pop_back();
  return request;
}

void LocalTransport::free_slot(Request request) {
  slot(request).state = Slot::State::free;
  free_.push_back(request);
}

Transport::Request LocalTransport::isend(const void* data, std::size_t bytes, int peer, int tag) {
  const Request request = new_slot();
  Slot& s = slot(request);
  s.state = Slot::State::sending;
  s.peer = peer;
  s.envelope.data = data;
  s.envelope.bytes = bytes;
  s.envelope.source = rank_;
  s.envelope.tag = tag;
  s.envelope.taken.store(false, std::memory_order_relaxed);
  world_->mailbox(peer).put(s.envelope);
  return request;
}

Transport::Request LocalTransport::irecv(void* data, std::size_t bytes, int peer, int tag) {
  const Request request = new_slot();
  Slot& s = slot(request);
  s.state = Slot::State::receiving;
  s.peer = peer;
  s.data = data;
  s.bytes = bytes;
  s.tag = tag;
  posted_.push_back(request);
  return request;
}

bool LocalTransport::test(Request request) {
  Slot& s = slot(request);
  if (s.state == Slot::State::receiving) receive_up_to(request);
  const bool over = s.state == Slot::State::sending ? s.envelope.taken.load(std::memory_order_acquire)
                                                    : s.state == Slot::State::received;
  if (over) free_slot(request);
  return over;
}

// Messages of one tag from one rank go to the receives in the order these were begun.
void LocalTransport::receive_up_to(Request request) {
  const int peer = slot(request).peer;
  const int tag = slot(request).tag;
  for (std::size_t i = 0; slot(request).state == Slot::State::receiving;) {
    Slot& s = slot(posted_[i]);
    if (s.peer != peer || s.tag != tag) {
      ++i;
    } else if (receive(s)) {
      posted_.erase(posted_.begin() + static_cast<std::ptrdiff_t>(i));
    } else {
      return;
    }
  }
}

bool LocalTransport::receive(Slot& s) {
  Envelope* envelope = world_->mailbox(rank_).take(s.peer, s.tag);
  if (envelope == nullptr) return false;
  const std::size_t sent = envelope->bytes;
  if (sent == s.bytes && sent > 0) std::memcpy(s.data, envelope->data, sent);
  envelope->taken.store(true, std::memory_order_release);
  if (sent != s.bytes) {
    throw CommError(rank_, s.peer, "receive",
                    fmt::format("rank {} expected a message of {} bytes from {}, received {} bytes", rank_, s.bytes,
                                describe(s.peer), sent));
  }
  s.state = Slot::State::received;
  return true;
}

void LocalTransport::cancel(Request request) noexcept {
  Slot& s = slot(request);
  if (s.state == Slot::State::sending && !world_->mailbox(s.peer).withdraw(s.envelope)) {
    // The receiver is copying.
    while (!s.envelope.taken.load(std::memory_order_acquire)) sched_yield();
  }
  std::erase(posted_, request);
  free_slot(request);
}

int LocalTransport::lost_rank(int peer) {
  const int failed = world_->first_failed();
  if (failed >= 0 && failed != rank_) return failed;
  return peer >= 0 && world_->has_left(peer) ? peer : -1;
}

std::unique_ptr<Transport> LocalTransport::split(int color, std::span<const int> ranks) {
  const auto rank = static_cast<int>(std::find(ranks.begin(), ranks.end(), rank_) - ranks.begin());
  const auto host = [&](int member) {
    const std::vector<int>& all = hosts();
    return std::upper_bound(all.begin(), all.end(), ranks[static_cast<std::size_t>(member)]);
  };
  const auto hosts_of_part =
      runs_of_ranks(static_cast<int>(ranks.size()), [&](int member) { return host(member) == host(member - 1); });
  return std::make_unique<LocalTransport>(world_->part(splits_++, color, hosts_of_part), rank);
}

}  // namespace strata
