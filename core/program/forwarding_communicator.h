// SPDX-License-Identifier: Apache-2.0
// Passes everything on to another communicator: derive to watch or to change some of it.
#pragma once

#include "core/program/communicator.h"

namespace strata {

/// `inner` must outlive it. Parts of a split are the inner one's own.
class ForwardingCommunicator : public Communicator {
 public:
  explicit ForwardingCommunicator(Communicator& inner) : inner_(inner) {}

  int rank() const override { return inner_.rank(); }
  int size() const override { return inner_.size(); }
  std::string describe(int rank) const override { return inner_.describe(rank); }
  void set_deadlines(const Deadlines& deadlines) override { inner_.set_deadlines(deadlines); }
  Deadlines deadlines() const override { return inner_.deadlines(); }
  void begin_step(const StepPosition& position, bool first) override { inner_.begin_step(position, first); }
  void end_step() override { inner_.end_step(); }
  CommunicationCost cost() const override { return inner_.cost(); }
  void broadcast(void* data, std::size_t bytes, int root) override { inner_.broadcast(data, bytes, root); }
  void allgather(const void* send, void* receive, std::size_t bytes) override {
    inner_.allgather(send, receive, bytes);
  }
  void gather(const void* send, std::size_t bytes, std::span<void* const> receive,
              std::span<const std::size_t> receive_bytes, int root) override {
    inner_.gather(send, bytes, receive, receive_bytes, root);
  }
  void barrier() override { inner_.barrier(); }
  std::unique_ptr<Communicator> split(int color, int key) override { return inner_.split(color, key); }
  std::shared_ptr<Storage> allocate(Device& device, std::size_t bytes) override {
    return inner_.allocate(device, bytes);
  }
  std::unique_ptr<PreparedCollective> prepare_block_sum(Device& device, const BlockSumSpec& spec) override {
    return inner_.prepare_block_sum(device, spec);
  }
  std::unique_ptr<PreparedCollective> prepare_row_sum(Device& device, const RowSumSpec& spec) override {
    return inner_.prepare_row_sum(device, spec);
  }
  std::unique_ptr<PreparedCollective> prepare_allgather(Device& device, const AllgatherSpec& spec) override {
    return inner_.prepare_allgather(device, spec);
  }
  void progress() override { inner_.progress(); }

 protected:
  Communicator& inner() { return inner_; }

 private:
  Communicator& inner_;
};

}  // namespace strata
