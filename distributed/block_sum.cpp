// SPDX-License-Identifier: Apache-2.0
#include "distributed/block_sum.h"

#include <algorithm>
#include <cstring>

#include "core/base/error.h"

namespace strata {

using Kind = BlockSumStep::Kind;

namespace {

/// Two pieces a group where that makes them neither short nor long. A multiple of what a cache line holds.
std::size_t choose_piece(std::size_t bytes, int groups) {
  if (groups == 1) return BlockSumRun::kSharedPieceBytes;
  const std::size_t line = 64, share = bytes / (2 * static_cast<std::size_t>(groups));
  return std::clamp(share / line * line, BlockSumRun::kSmallestPieceBytes, BlockSumRun::kLargestPieceBytes);
}

/// The first partial of every rank of the own group among the group's.
std::vector<int> first_partials(const SumGroups& groups, const BlockSumSpec& spec, int ranks) {
  std::vector<int> firsts;
  const Dim begin = rank_blocks(spec.blocks, ranks, groups.first(groups.own)).first;
  for (int rank = groups.first(groups.own); rank < groups.first(groups.own + 1); ++rank) {
    firsts.push_back(static_cast<int>(rank_blocks(spec.blocks, ranks, rank).first - begin));
  }
  return firsts;
}

}  // namespace

BlockSumRun::BlockSumRun(Transport& transport, Device& device, const BlockSumSpec& spec, SumGroups groups,
                         int first_tag, int first_root)
    : transport_(transport),
      device_(device),
      dtype_(spec.dtype),
      bytes_(static_cast<std::size_t>(spec.count) * size_of(spec.dtype)),
      groups_(std::move(groups)),
      firsts_(first_partials(groups_, spec, transport.size())),
      first_tag_(first_tag),
      piece_bytes_(choose_piece(bytes_, groups_.groups())) {
  if (!groups_.ports.empty()) ports_.emplace(groups_.ports, groups_.place, groups_.first(groups_.own));
  first_piece_bytes_ = groups_.groups() == 1 ? piece_bytes_ : kSmallestPieceBytes;
  const std::size_t rest = bytes_ > first_piece_bytes_ ? bytes_ - first_piece_bytes_ : 0;
  pieces_ = bytes_ == 0 || spec.blocks == 1 ? 0 : static_cast<Dim>(1 + (rest + piece_bytes_ - 1) / piece_bytes_);
  all_lanes_ = groups_.groups() == 1 ? groups_.own_size() : kLanes;
  make_plans(spec, first_root);
  for (int lane = groups_.place; lane < std::min<Dim>(all_lanes_, pieces_); lane += groups_.own_size()) make_lane(lane);
}

BlockSumRun::~BlockSumRun() { cancel(); }

void BlockSumRun::make_plans(const BlockSumSpec& spec, int first_root) {
  std::vector<Dim> bounds;
  for (const int rank : groups_.bounds) {
    const int last = transport_.size() - 1;
    bounds.push_back(rank > last ? spec.blocks : rank_blocks(spec.blocks, last + 1, rank).first);
  }
  for (int i = 0; i < std::min<Dim>(groups_.groups(), pieces_); ++i) {
    plans_.push_back(plan_block_sum(bounds, groups_.own, (first_root + i) % groups_.groups()));
  }
}

void BlockSumRun::make_lane(int number) {
  const std::size_t piece = std::min(bytes_, std::max(piece_bytes_, first_piece_bytes_));
  const bool messages = groups_.groups() > 1;
  Lane lane{number, pieces_, 0, Lane::Phase::begin, 0, device_.make_stream(), device_.make_event(), nullptr, nullptr};
  if (messages) lane.scratch = std::make_unique<Storage>(device_, piece);
  if (messages && (number == 0 || !device_.host_accessible())) {
    lane.stage = std::make_unique<Storage>(cpu_device(), piece + sizeof(CallStamp));
  }
  lanes_.push_back(std::move(lane));
}

void BlockSumRun::start(const CallStamp& stamp) {
  stamp_ = stamp;
  for (Lane& lane : lanes_) {
    lane.piece = lane.number;
    lane.step = 0;
    lane.phase = Lane::Phase::begin;
  }
  open_lanes_ = static_cast<int>(lanes_.size());
  phase_ = ports_ ? Phase::arriving : open_lanes_ > 0 ? Phase::adding : Phase::done;
  if (ports_) ports_->arrive(stamp_);
}

bool BlockSumRun::advance() {
  bool moved = false;
  if (phase_ == Phase::arriving && ports_->all_arrived()) {
    phase_ = Phase::adding;
    moved = true;
  }
  if (phase_ == Phase::adding) {
    moved |= advance_lanes();
    if (open_lanes_ > 0) return moved;
    if (ports_) ports_->finish();
    phase_ = ports_ ? Phase::finishing : Phase::done;
    moved = true;
  }
  if (phase_ == Phase::finishing && ports_->all_done()) {
    phase_ = Phase::done;
    moved = true;
  }
  return moved;
}

bool BlockSumRun::advance_lanes() {
  bool moved = false;
  for (Lane& lane : lanes_) {
    if (lane.piece < pieces_) moved |= advance_lane(lane);
  }
  return moved;
}

bool BlockSumRun::advance_lane(Lane& lane) {
  bool moved = false;
  const std::vector<BlockSumStep>& steps = plan(lane);
  while (lane.step < steps.size()) {
    if (!advance_step(lane, steps[lane.step])) return moved;
    bytes_sent_ += bytes_of_step(lane, steps[lane.step]);
    ++lane.step;
    moved = true;
  }
  return finish_piece(lane) || moved;
}

// Returns whether the step is over.
bool BlockSumRun::advance_step(Lane& lane, const BlockSumStep& step) {
  using LanePhase = Lane::Phase;
  if (lane.phase == LanePhase::begin) {
    enqueue_before(lane, step);
    if (step.kind == Kind::add) return true;
    lane.event->record(*lane.stream);
    lane.phase = LanePhase::enqueued;
  }
  if (lane.phase == LanePhase::enqueued) {
    // The message reads or overwrites memory that earlier work of the stream uses.
    if (!lane.event->query()) return false;
    post(lane, step);
    lane.phase = LanePhase::posted;
  }
  if (!transport_.test(lane.request)) return false;
  lane.phase = LanePhase::begin;
  finish_message(lane, step);
  return true;
}

// Returns whether the piece is over. The lane is then on its next one.
bool BlockSumRun::finish_piece(Lane& lane) {
  if (lane.phase == Lane::Phase::begin) {
    spread(lane);
    lane.event->record(*lane.stream);
    lane.phase = Lane::Phase::enqueued;
  }
  if (!lane.event->query()) return false;
  lane.phase = Lane::Phase::begin;
  lane.step = 0;
  lane.piece += all_lanes_;
  if (lane.piece >= pieces_) --open_lanes_;
  return true;
}

/// Gives the piece's sum to the other ranks of the group.
void BlockSumRun::spread(Lane& lane) {
  const std::size_t bytes = bytes_of_piece(lane);
  for (std::size_t i = 1; i < firsts_.size(); ++i) {
    device_.copy(at(lane, firsts_[i]), at(lane, 0), bytes, *lane.stream);
    bytes_sent_ += static_cast<std::int64_t>(bytes);
  }
}

void BlockSumRun::enqueue_before(Lane& lane, const BlockSumStep& step) {
  const std::size_t bytes = bytes_of_piece(lane);
  if (step.kind == Kind::add) {
    accumulate(device_, *lane.stream, dtype_, at(lane, step.partial), at(lane, step.from),
               static_cast<Dim>(bytes / size_of(dtype_)));
  } else if (step.kind == Kind::send && staged(lane)) {
    device_.copy_to_host(lane.stage->data(), at(lane, step.partial), bytes, *lane.stream);
  }
}

void BlockSumRun::post(Lane& lane, const BlockSumStep& step) {
  std::byte* data = message(lane, step);
  const std::size_t bytes = bytes_of_piece(lane), all = bytes + (stamped(lane) ? sizeof stamp_ : 0);
  const int tag = first_tag_ + lane.number;
  if (step.kind == Kind::send) {
    if (stamped(lane)) std::memcpy(data + bytes, &stamp_, sizeof stamp_);
    lane.request = transport_.isend(data, all, peer(lane, step), tag);
  } else {
    lane.request = transport_.irecv(data, all, peer(lane, step), tag);
  }
}

void BlockSumRun::finish_message(Lane& lane, const BlockSumStep& step) {
  if (step.kind == Kind::send) return;
  const std::size_t bytes = bytes_of_piece(lane);
  if (stamped(lane)) {
    CallStamp theirs;
    std::memcpy(&theirs, lane.stage->data() + bytes, sizeof theirs);
    if (theirs != stamp_) throw Diverged{peer(lane, step), theirs};
  }
  std::byte* received = step.kind == Kind::receive_add ? lane.scratch->data() : at(lane, step.partial);
  if (staged(lane)) device_.copy_from_host(received, lane.stage->data(), bytes, *lane.stream);
  if (step.kind == Kind::receive_add) {
    accumulate(device_, *lane.stream, dtype_, at(lane, step.partial), received,
               static_cast<Dim>(bytes / size_of(dtype_)));
  }
}

/// What crosses from one rank to another.
std::int64_t BlockSumRun::bytes_of_step(const Lane& lane, const BlockSumStep& step) const {
  const auto rank_of = [&](int partial) { return std::upper_bound(firsts_.begin(), firsts_.end(), partial); };
  const bool crosses =
      step.kind == Kind::send || (step.kind == Kind::add && rank_of(step.partial) != rank_of(step.from));
  return crosses ? static_cast<std::int64_t>(bytes_of_piece(lane)) : 0;
}

std::byte* BlockSumRun::at(const Lane& lane, int partial) const {
  return static_cast<std::byte*>(groups_.partials[static_cast<std::size_t>(partial)]) + offset(lane.piece);
}

// The host memory that the message of a step reads or writes.
std::byte* BlockSumRun::message(const Lane& lane, const BlockSumStep& step) const {
  if (staged(lane)) return lane.stage->data();
  return step.kind == Kind::receive_add ? lane.scratch->data() : at(lane, step.partial);
}

std::size_t BlockSumRun::offset(Dim piece) const {
  return piece == 0 ? 0 : first_piece_bytes_ + static_cast<std::size_t>(piece - 1) * piece_bytes_;
}

std::size_t BlockSumRun::bytes_of_piece(const Lane& lane) const {
  return std::min(lane.piece == 0 ? first_piece_bytes_ : piece_bytes_, bytes_ - offset(lane.piece));
}

Awaited BlockSumRun::awaited() const {
  if (phase_ == Phase::arriving) return {ports_->first_missing(), Awaited::What::arrival};
  if (phase_ == Phase::finishing) return {ports_->first_unfinished(), Awaited::What::work};
  for (const Lane& lane : lanes_) {
    if (lane.piece < pieces_ && lane.phase == Lane::Phase::posted) {
      const BlockSumStep& step = plan(lane)[lane.step];
      return {peer(lane, step), step.kind == Kind::send ? Awaited::What::room : Awaited::What::message};
    }
  }
  return {};
}

void BlockSumRun::cancel() noexcept {
  for (Lane& lane : lanes_) {
    if (lane.piece < pieces_ && lane.phase == Lane::Phase::posted) transport_.cancel(lane.request);
    lane.piece = pieces_;
  }
  open_lanes_ = 0;
  phase_ = Phase::done;
}

}  // namespace strata
