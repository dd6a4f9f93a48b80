// SPDX-License-Identifier: Apache-2.0
// Carries out a plan of steps as a state machine that never blocks and allocates nothing after construction.
#pragma once

#include <memory>
#include <vector>

#include "distributed/block_sum_plan.h"
#include "distributed/sum_run.h"

namespace strata {

/// One prepared sum on one rank. The partials are cut into pieces, whose sums come together on one rank after the
/// other, so that all of them send equally much at once. A few lanes, each with its own tag, stream and buffers, take
/// every lanes-th piece through the whole of its plan, so that pieces are on different steps at once.
class BlockSumRun final : public SumRun {
 public:
  static constexpr int kLanes = kTags;
  /// A short message costs its latency, a long one keeps the others waiting.
  static constexpr std::size_t kSmallestPieceBytes = 16 * 1024;
  static constexpr std::size_t kLargestPieceBytes = 256 * 1024;

  /// Uses the tags first_tag to first_tag + kLanes - 1. The first piece's sum comes together on rank `first_root`.
  /// `spec` has been checked.
  BlockSumRun(Transport& transport, Device& device, const BlockSumSpec& spec, int first_tag, int first_root);
  ~BlockSumRun() override;

  void start() override;
  /// Takes every lane as far as it goes without waiting, one piece at most.
  bool advance() override;
  bool done() const override { return open_lanes_ == 0; }
  /// What the first waiting lane waits for.
  Awaited awaited() const override;
  void cancel() noexcept override;

 private:
  struct Lane {
    enum class Phase { begin, enqueued, posted };
    int tag;
    Dim piece;  // under way
    std::size_t step;
    Phase phase;
    Transport::Request request;
    std::unique_ptr<Stream> stream;
    std::unique_ptr<Event> event;
    std::unique_ptr<Storage> scratch;  // device memory: a piece received, to be added
    std::unique_ptr<Storage> stage;    // host memory: a piece on its way, when messages cannot use device memory
  };

  void make_lane(int tag, bool needs_scratch);
  bool advance_lane(Lane& lane);
  bool advance_step(Lane& lane, const BlockSumStep& step);
  bool finish_piece(Lane& lane);
  void enqueue_before(Lane& lane, const BlockSumStep& step);
  void post(Lane& lane, const BlockSumStep& step);
  void finish_message(Lane& lane, const BlockSumStep& step);

  std::byte* at(const Lane& lane, int partial) const;
  std::byte* message(const Lane& lane, const BlockSumStep& step) const;
  std::size_t bytes_of_piece(const Lane& lane) const;
  const std::vector<BlockSumStep>& plan(const Lane& lane) const {
    return plans_[static_cast<std::size_t>(lane.piece) % plans_.size()];
  }

  Transport& transport_;
  Device& device_;
  Dtype dtype_;
  std::size_t bytes_;  // of one partial
  std::vector<void*> partials_;
  std::size_t piece_bytes_;  // of all pieces but the last
  Dim pieces_;
  std::vector<std::vector<BlockSumStep>> plans_;  // of pieces 0, 1, ...; then from the first again
  std::vector<Lane> lanes_;
  int open_lanes_ = 0;
};

}  // namespace strata
