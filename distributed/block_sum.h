// SPDX-License-Identifier: Apache-2.0
// Carries out a plan of steps as a state machine that never blocks and allocates nothing after construction.
#pragma once

#include <memory>
#include <vector>

#include "distributed/block_sum_plan.h"
#include "distributed/sum_run.h"

namespace strata {

/// One prepared sum on one rank. The partials are cut into pieces; a few lanes, each with its own tag, stream and
/// buffers, take every lanes-th piece through the whole plan, so that pieces are on different steps at once.
class BlockSumRun final : public SumRun {
 public:
  static constexpr int kLanes = kTags;
  static constexpr std::size_t kPieceBytes = 256 * 1024;

  /// Uses the tags first_tag to first_tag + kLanes - 1. `spec` has been checked.
  BlockSumRun(Transport& transport, Device& device, const BlockSumSpec& spec, int first_tag);
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
  std::size_t piece_bytes(const Lane& lane) const;

  Transport& transport_;
  Device& device_;
  Dtype dtype_;
  std::size_t bytes_;  // of one partial
  std::vector<void*> partials_;
  std::vector<BlockSumStep> plan_;
  Dim pieces_;
  std::vector<Lane> lanes_;
  int open_lanes_ = 0;
};

}  // namespace strata
