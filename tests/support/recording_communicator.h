// SPDX-License-Identifier: Apache-2.0
// Another communicator, of which is noted what sums were prepared, and in what order they start.
#pragma once

#include <vector>

#include "core/program/forwarding_communicator.h"

namespace strata::testing {

class RecordingCommunicator : public ForwardingCommunicator {
 public:
  /// A sum as it was prepared.
  struct Prepared {
    bool rows;
    std::size_t bytes;       // of one partial, at most
    bool scattered = false;  // each rank gets its shares alone
  };

  explicit RecordingCommunicator(Communicator& inner) : ForwardingCommunicator(inner) {}
  const std::vector<Prepared>& prepared() const { return prepared_; }
  /// Numbers of sums in the order in which they were prepared.
  const std::vector<int>& started() const { return started_; }

  std::unique_ptr<PreparedCollective> prepare_block_sum(Device& device, const BlockSumSpec& spec) override {
    return record(inner().prepare_block_sum(device, spec),
                  {false, static_cast<std::size_t>(spec.count) * size_of(spec.dtype), !spec.shares.empty()});
  }
  std::unique_ptr<PreparedCollective> prepare_row_sum(Device& device, const RowSumSpec& spec) override {
    return record(inner().prepare_row_sum(device, spec), {true, spec.layout.bytes()});
  }

 private:
  class RecordedSum final : public PreparedCollective {
   public:
    RecordedSum(std::unique_ptr<PreparedCollective> sum, int number, std::vector<int>& started)
        : sum_(std::move(sum)), number_(number), started_(started) {}
    void start() override {
      started_.push_back(number_);
      sum_->start();
    }
    bool advance() override { return sum_->advance(); }
    void wait() override { sum_->wait(); }

   private:
    std::unique_ptr<PreparedCollective> sum_;
    int number_;
    std::vector<int>& started_;
  };

  std::unique_ptr<PreparedCollective> record(std::unique_ptr<PreparedCollective> sum, const Prepared& prepared) {
    prepared_.push_back(prepared);
    return std::make_unique<RecordedSum>(std::move(sum), static_cast<int>(prepared_.size()) - 1, started_);
  }

  std::vector<Prepared> prepared_;
  std::vector<int> started_;
};

}  // namespace strata::testing
