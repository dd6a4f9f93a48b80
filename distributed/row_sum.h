// SPDX-License-Identifier: Apache-2.0
// A sum of lists of rows over blocks: the plan of steps of a dense sum, with messages as long as the lists are.
#pragma once

#include <memory>
#include <vector>

#include "distributed/block_sum_plan.h"
#include "distributed/sum_group.h"
#include "distributed/sum_run.h"

namespace strata {

/// One prepared sum on one rank. A list goes as its count and the stamp of the call, its ids and its values,
/// in pieces.
class RowSumRun final : public SumRun {
 public:
  static constexpr std::size_t kPieceBytes = std::size_t{1} << 20;

  /// Uses one tag. The sum comes together on rank `root`. `spec` has been checked.
  RowSumRun(Transport& transport, Device& device, const RowSumSpec& spec, int tag, int root);
  ~RowSumRun() override;

  void start(const CallStamp& stamp) override;
  bool advance() override;
  bool done() const override { return phase_ == Phase::done; }
  Awaited awaited() const override;
  bool is_local() const override { return false; }
  void cancel() noexcept override;
  std::int64_t bytes_sent() const override { return bytes_sent_; }

 private:
  enum class Phase { reading, adding, writing, done };
  /// A part of a list that one message carries.
  struct Piece {
    std::byte* data;
    std::size_t bytes;
  };

  bool advance_step();
  bool advance_messages(const BlockSumStep& step);
  void post(const BlockSumStep& step, std::byte* list);
  void take_head(const BlockSumStep& step, std::byte* list);
  Piece piece(std::byte* list, Dim index);
  void finish_step(const BlockSumStep& step);

  /// What goes before a list.
  struct Head {
    std::int64_t count;
    CallStamp stamp;
  };

  Transport& transport_;
  HostRows rows_;
  int tag_;
  std::vector<BlockSumStep> plan_;
  std::unique_ptr<Storage> received_;  // a list to be added; none where the plan receives none
  CallStamp stamp_;
  Head head_{};
  Phase phase_ = Phase::done;
  std::size_t step_ = 0;
  Dim piece_ = 0;  // of the list that this step sends or receives
  bool posted_ = false;
  std::int64_t bytes_sent_ = 0;
  Transport::Request request_{};
};

}  // namespace strata
