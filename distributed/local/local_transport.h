// SPDX-License-Identifier: Apache-2.0
// Messages between ranks that are threads of one process. A receiver copies straight from the sender's memory.
#pragma once

#include <deque>
#include <memory>
#include <vector>

#include "distributed/local/local_world.h"
#include "distributed/rank_identity.h"
#include "distributed/transport.h"

namespace strata {

class LocalTransport final : public Transport {
 public:
  LocalTransport(std::shared_ptr<LocalWorld> world, int rank);
  /// The rank leaves its world, as failed when an exception is on its way.
  ~LocalTransport() override;

  int rank() const override { return rank_; }
  int size() const override { return world_->size(); }
  std::string describe(int rank) const override;
  const std::vector<int>& hosts() const override { return world_->hosts(); }

  void reserve(int requests) override;
  Request isend(const void* data, std::size_t bytes, int peer, int tag) override;
  Request irecv(void* data, std::size_t bytes, int peer, int tag) override;
  bool test(Request request) override;
  int probe(int tag) override { return world_->mailbox(rank_).sender(tag); }
  void cancel(Request request) noexcept override;
  int lost_rank(int peer) override;
  std::mutex* mutex() override { return &mutex_; }
  std::unique_ptr<Transport> split(int color, std::span<const int> ranks) override;

 private:
  struct Slot {
    enum class State { free, sending, receiving, received };
    State state = State::free;
    int peer = 0;
    Envelope envelope;     // of a message sent
    void* data = nullptr;  // of a message to receive, with its size and tag
    std::size_t bytes = 0;
    int tag = 0;
  };

  Request new_slot();
  void free_slot(Request request);
  Slot& slot(Request request) { return slots_[static_cast<std::size_t>(request)]; }
  void receive_up_to(Request request);
  bool receive(Slot& slot);

  std::shared_ptr<LocalWorld> world_;
  int rank_;
  RankIdentity identity_;
  std::deque<Slot> slots_;  // others hold pointers to envelopes in here
  std::vector<Request> free_;
  std::vector<Request> posted_;  // receives without their message, in the order they were begun
  int splits_ = 0;
  std::mutex mutex_;
};

}  // namespace strata
