// SPDX-License-Identifier: Apache-2.0
// A wire between threads on which every message takes its time.
#pragma once

#include <chrono>
#include <memory>
#include <optional>
#include <vector>

#include "distributed/local/local_transport.h"
#include "distributed/point_to_point.h"

namespace strata::testing {

/// A received message is there `delay` after it would be.
class DelayedTransport final : public Transport {
 public:
  DelayedTransport(std::unique_ptr<Transport> inner, Clock::duration delay) : inner_(std::move(inner)), delay_(delay) {}

  int rank() const override { return inner_->rank(); }
  int size() const override { return inner_->size(); }
  std::string describe(int rank) const override { return inner_->describe(rank); }
  const std::vector<int>& hosts() const override { return inner_->hosts(); }
  int probe(int tag) override { return inner_->probe(tag); }
  void reserve(int requests) override { inner_->reserve(requests); }
  Request isend(const void* data, std::size_t bytes, int peer, int tag) override {
    return add({inner_->isend(data, bytes, peer, tag), false, {}});
  }
  Request irecv(void* data, std::size_t bytes, int peer, int tag) override {
    return add({inner_->irecv(data, bytes, peer, tag), true, {}});
  }
  bool test(Request request) override {
    Message& message = messages_[static_cast<std::size_t>(request)];
    if (!message.arrived) {
      if (!inner_->test(message.request)) return false;
      message.arrived = Clock::now();
    }
    return !message.received || Clock::now() - *message.arrived >= delay_;
  }
  void cancel(Request request) noexcept override {
    const Message& message = messages_[static_cast<std::size_t>(request)];
    if (!message.arrived) inner_->cancel(message.request);
  }
  int lost_rank(int peer) override { return inner_->lost_rank(peer); }
  std::mutex* mutex() override { return inner_->mutex(); }
  std::unique_ptr<Transport> split(int color, std::span<const int> ranks) override {
    return std::make_unique<DelayedTransport>(inner_->split(color, ranks), delay_);
  }

 private:
  struct Message {
    Request request;
    bool received;
    std::optional<Clock::time_point> arrived;
  };
  Request add(const Message& message) {
    messages_.push_back(message);  // a test has few: no place is used again
    return static_cast<Request>(messages_.size() - 1);
  }

  std::unique_ptr<Transport> inner_;
  Clock::duration delay_;
  std::vector<Message> messages_;
};

/// Communicators of ranks that are threads, over such wires.
inline std::vector<std::shared_ptr<Communicator>> make_delayed_communicators(int ranks,
                                                                             Transport::Clock::duration delay) {
  std::vector<int> hosts;  // each rank on its own
  for (int r = 0; r <= ranks; ++r) hosts.push_back(r);
  const auto world = std::make_shared<LocalWorld>(hosts);
  std::vector<std::shared_ptr<Communicator>> all;
  for (int r = 0; r < ranks; ++r) {
    auto wire = std::make_unique<DelayedTransport>(std::make_unique<LocalTransport>(world, r), delay);
    all.push_back(std::make_shared<PointToPointCommunicator>(std::move(wire)));
  }
  return all;
}

}  // namespace strata::testing
