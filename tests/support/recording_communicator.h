// SPDX-License-Identifier: Apache-2.0
// Another communicator, of which is noted what sums were prepared, and in what order they start.
#pragma once

#include <vector>

#include "core/program/communicator.h"

namespace strata::testing {

class RecordingCommunicator : public Communicator {
 public:
  /// A sum as it was prepared.
  struct Prepared {
    bool rows;
    std::size_t bytes;  // of one partial, at most
  };

  explicit RecordingCommunicator(Communicator& inner) : inner_(inner) {}
  const std::vector<Prepared>& prepared() const { return prepared_; }
  /// Numbers of sums in the order in which they were prepared.
  const std::vector<int>& started() const { return started_; }

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
  std::unique_ptr<BlockSum> prepare_block_sum(Device& device, const BlockSumSpec& spec) override {
    return record(inner_.prepare_block_sum(device, spec),
                  {false, static_cast<std::size_t>(spec.count) * size_of(spec.dtype)});
  }
  std::unique_ptr<BlockSum> prepare_row_sum(Device& device, const RowSumSpec& spec) override {
    return record(inner_.prepare_row_sum(device, spec), {true, spec.layout.bytes()});
  }
  void progress() override { inner_.progress(); }

 private:
  class RecordedSum final : public BlockSum {
   public:
    RecordedSum(std::unique_ptr<BlockSum> sum, int number, std::vector<int>& started)
        : sum_(std::move(sum)), number_(number), started_(started) {}
    void start() override {
      started_.push_back(number_);
      sum_->start();
    }
    bool advance() override { return sum_->advance(); }
    void wait() override { sum_->wait(); }

   private:
    std::unique_ptr<BlockSum> sum_;
    int number_;
    std::vector<int>& started_;
  };

  std::unique_ptr<BlockSum> record(std::unique_ptr<BlockSum> sum, const Prepared& prepared) {
    prepared_.push_back(prepared);
    return std::make_unique<RecordedSum>(std::move(sum), static_cast<int>(prepared_.size()) - 1, started_);
  }

  Communicator& inner_;
  std::vector<Prepared> prepared_;
  std::vector<int> started_;
};

}  // namespace strata::testing
