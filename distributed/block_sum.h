// SPDX-License-Identifier: Apache-2.0
// Carries out plans of steps as a state machine that never blocks and allocates nothing after construction.
#pragma once

#include <memory>
#include <optional>
#include <vector>

#include "distributed/block_sum_plan.h"
#include "distributed/sum_group.h"
#include "distributed/sum_pieces.h"
#include "distributed/sum_run.h"

namespace strata {

/// One prepared sum, or one half of it, on one rank: in pieces. A few lanes, each with its own tag, stream and buffers,
/// take every lanes-th piece through the whole of its plan, so that pieces are on different steps at once. The ranks of
/// a group share the lanes out: whoever has a lane adds up its pieces for all of them, in everybody's memory, and
/// exchanges them with the rank that has the lane in another group. With shares on one host alone every rank adds up
/// its own, to have them in its caches.
class BlockSumRun final : public SumRun {
 public:
  static constexpr int kLanes = kTags;
  /// Uses the tags first_tag to first_tag + kLanes - 1. Without shares the first piece's sum comes together in group
  /// `first_root`; halves of a sum have shares. `spec` has been checked; of an allgather it has one block a rank.
  BlockSumRun(Transport& transport, Device& device, const BlockSumSpec& spec, SumGroups groups, int first_tag,
              int first_root, SumPart part = SumPart::all);
  ~BlockSumRun() override;

  void start(const CallStamp& stamp) override;
  /// Takes every lane as far as it goes without waiting, one piece at most.
  bool advance() override;
  bool done() const override { return phase_ == Phase::done; }
  Awaited awaited() const override;
  bool is_local() const override { return groups_.groups() == 1; }
  void cancel() noexcept override;
  std::int64_t bytes_sent() const override { return bytes_sent_; }
  RoundingErrors rounding_errors() const override { return {errors_, errors_layout_}; }

 private:
  enum class Phase { arriving, adding, finishing, done };
  struct Lane {
    enum class Phase { begin, enqueued, posted };
    int number;
    std::vector<std::size_t> pieces;  // in cut_
    std::size_t next;                 // of these: the one under way
    std::size_t step;
    int rounding;  // the next of those of this piece that lose something
    Phase phase;
    Transport::Request request;
    std::unique_ptr<Stream> stream;
    std::unique_ptr<Event> event;
    std::unique_ptr<Storage> scratch;  // device memory: a piece received, to be added
    std::unique_ptr<Storage> stage;    // host memory: a message, where it cannot be sent from or received in place
  };

  void make_lanes(const Shares& shares);
  void make_lane(int number, std::vector<std::size_t> pieces);
  bool advance_lanes();
  bool advance_lane(Lane& lane);
  bool advance_step(Lane& lane, const BlockSumStep& step);
  bool finish_piece(Lane& lane);
  void enqueue_before(Lane& lane, const BlockSumStep& step);
  void post(Lane& lane, const BlockSumStep& step);
  void finish_message(Lane& lane, const BlockSumStep& step);
  void spread(Lane& lane);
  void make_errors(const BlockSumSpec& spec, int first_root);
  void encode_message(Lane& lane, const BlockSumStep& step);
  void decode_message(Lane& lane, const BlockSumStep& step);
  std::int64_t bytes_of_step(const Lane& lane, const BlockSumStep& step) const;

  /// The rank with the lane in another group.
  int peer(const Lane& lane, const BlockSumStep& step) const {
    return groups_.first(step.peer) + lane.number % groups_.size(step.peer);
  }
  bool open(const Lane& lane) const { return lane.next < lane.pieces.size(); }
  bool stamped(const Lane& lane) const { return lane.pieces[lane.next] == 0; }
  bool staged(const Lane& lane) const { return stamped(lane) || compress_ || !device_.host_accessible(); }
  /// Whether the lane's step comes after the piece's sum was complete.
  bool goes_down(const Lane& lane) const { return lane.step >= plan(lane).up; }
  float* errors(Lane& lane);
  std::size_t wire_bytes(const Lane& lane) const { return compress_ ? piece(lane).bytes / 2 : piece(lane).bytes; }
  std::byte* at(const Lane& lane, int partial) const;
  std::byte* message(const Lane& lane, const BlockSumStep& step) const;
  const SumPieces::Piece& piece(const Lane& lane) const { return cut_.pieces[lane.pieces[lane.next]]; }
  const BlockSumPlan& plan(const Lane& lane) const { return cut_.plans[piece(lane).plan]; }

  Transport& transport_;
  Device& device_;
  Dtype dtype_;
  SumGroups groups_;
  std::optional<PortWatch> ports_;  // when the group is of several
  std::vector<int> firsts_;         // of the own group's ranks: their first partials
  int first_tag_;
  SumPart part_;
  bool compress_;
  SumPieces cut_;
  std::vector<Lane> lanes_;                // of this rank
  std::shared_ptr<Storage> errors_;        // compressing: of every piece of this rank's lanes, of every rounding of it
  std::uint64_t errors_layout_ = 0;        // see RoundingErrors
  std::vector<std::size_t> first_errors_;  // one a piece
  CallStamp stamp_;
  Phase phase_ = Phase::done;
  int open_lanes_ = 0;
  std::int64_t bytes_sent_ = 0;
};

}  // namespace strata
