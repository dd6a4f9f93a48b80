// SPDX-License-Identifier: Apache-2.0
#include "distributed/block_sum.h"

#include <algorithm>

namespace strata {

using Kind = BlockSumStep::Kind;

namespace {

/// Two pieces a rank where that makes them neither short nor long. A multiple of what a cache line holds.
std::size_t choose_piece(std::size_t bytes, int ranks) {
  const std::size_t line = 64, share = bytes / (2 * static_cast<std::size_t>(ranks));
  return std::clamp(share / line * line, BlockSumRun::kSmallestPieceBytes, BlockSumRun::kLargestPieceBytes);
}

}  // namespace

BlockSumRun::BlockSumRun(Transport& transport, Device& device, const BlockSumSpec& spec, int first_tag, int first_root)
    : transport_(transport),
      device_(device),
      dtype_(spec.dtype),
      bytes_(static_cast<std::size_t>(spec.count) * size_of(spec.dtype)),
      partials_(spec.partials.begin(), spec.partials.end()),
      piece_bytes_(choose_piece(bytes_, transport.size())),
      pieces_(spec.blocks == 1 ? 0 : static_cast<Dim>((bytes_ + piece_bytes_ - 1) / piece_bytes_)) {
  bool needs_scratch = false;
  for (int i = 0; i < std::min<Dim>(transport.size(), pieces_); ++i) {
    const int root = (first_root + i) % transport.size();
    plans_.push_back(plan_block_sum(spec.blocks, transport.size(), transport.rank(), root));
    needs_scratch = needs_scratch || std::any_of(plans_.back().begin(), plans_.back().end(),
                                                 [](const auto& step) { return step.kind == Kind::receive_add; });
  }
  const int lanes = static_cast<int>(std::min<Dim>(kLanes, pieces_));
  for (int lane = 0; lane < lanes; ++lane) make_lane(first_tag + lane, needs_scratch);
}

BlockSumRun::~BlockSumRun() { cancel(); }

void BlockSumRun::make_lane(int tag, bool needs_scratch) {
  const std::size_t piece = std::min(bytes_, piece_bytes_);
  Lane lane{tag, pieces_, 0, Lane::Phase::begin, 0, device_.make_stream(), device_.make_event(), nullptr, nullptr};
  if (needs_scratch) lane.scratch = std::make_unique<Storage>(device_, piece);
  if (!device_.host_accessible()) lane.stage = std::make_unique<Storage>(cpu_device(), piece);
  lanes_.push_back(std::move(lane));
}

void BlockSumRun::start() {
  for (std::size_t i = 0; i < lanes_.size(); ++i) {
    lanes_[i].piece = static_cast<Dim>(i);
    lanes_[i].step = 0;
    lanes_[i].phase = Lane::Phase::begin;
  }
  open_lanes_ = static_cast<int>(lanes_.size());
}

bool BlockSumRun::advance() {
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
    ++lane.step;
    moved = true;
  }
  return finish_piece(lane) || moved;
}

// Returns whether the step is over.
bool BlockSumRun::advance_step(Lane& lane, const BlockSumStep& step) {
  using Phase = Lane::Phase;
  if (lane.phase == Phase::begin) {
    enqueue_before(lane, step);
    if (step.kind == Kind::add) return true;
    lane.event->record(*lane.stream);
    lane.phase = Phase::enqueued;
  }
  if (lane.phase == Phase::enqueued) {
    // The message reads or overwrites memory that earlier work of the stream uses.
    if (!lane.event->query()) return false;
    post(lane, step);
    lane.phase = Phase::posted;
  }
  if (!transport_.test(lane.request)) return false;
  lane.phase = Phase::begin;
  finish_message(lane, step);
  return true;
}

// Returns whether the piece is over. The lane is then on its next one.
bool BlockSumRun::finish_piece(Lane& lane) {
  if (lane.phase == Lane::Phase::begin) {
    lane.event->record(*lane.stream);
    lane.phase = Lane::Phase::enqueued;
  }
  if (!lane.event->query()) return false;
  lane.phase = Lane::Phase::begin;
  lane.step = 0;
  lane.piece += static_cast<Dim>(lanes_.size());
  if (lane.piece >= pieces_) --open_lanes_;
  return true;
}

void BlockSumRun::enqueue_before(Lane& lane, const BlockSumStep& step) {
  const std::size_t bytes = bytes_of_piece(lane);
  if (step.kind == Kind::add) {
    accumulate(device_, *lane.stream, dtype_, at(lane, step.partial), at(lane, step.from),
               static_cast<Dim>(bytes / size_of(dtype_)));
  } else if (step.kind == Kind::send && lane.stage) {
    device_.copy_to_host(lane.stage->data(), at(lane, step.partial), bytes, *lane.stream);
  }
}

void BlockSumRun::post(Lane& lane, const BlockSumStep& step) {
  std::byte* data = message(lane, step);
  const std::size_t bytes = bytes_of_piece(lane);
  lane.request = step.kind == Kind::send ? transport_.isend(data, bytes, step.peer, lane.tag)
                                         : transport_.irecv(data, bytes, step.peer, lane.tag);
}

void BlockSumRun::finish_message(Lane& lane, const BlockSumStep& step) {
  if (step.kind == Kind::send) return;
  const std::size_t bytes = bytes_of_piece(lane);
  std::byte* received = step.kind == Kind::receive_add ? lane.scratch->data() : at(lane, step.partial);
  if (lane.stage) device_.copy_from_host(received, lane.stage->data(), bytes, *lane.stream);
  if (step.kind == Kind::receive_add) {
    accumulate(device_, *lane.stream, dtype_, at(lane, step.partial), received,
               static_cast<Dim>(bytes / size_of(dtype_)));
  }
}

std::byte* BlockSumRun::at(const Lane& lane, int partial) const {
  return static_cast<std::byte*>(partials_[static_cast<std::size_t>(partial)]) +
         static_cast<std::size_t>(lane.piece) * piece_bytes_;
}

// The host memory that the message of a step reads or writes.
std::byte* BlockSumRun::message(const Lane& lane, const BlockSumStep& step) const {
  if (lane.stage) return lane.stage->data();
  return step.kind == Kind::receive_add ? lane.scratch->data() : at(lane, step.partial);
}

std::size_t BlockSumRun::bytes_of_piece(const Lane& lane) const {
  return std::min(piece_bytes_, bytes_ - static_cast<std::size_t>(lane.piece) * piece_bytes_);
}

Awaited BlockSumRun::awaited() const {
  for (const Lane& lane : lanes_) {
    if (lane.piece < pieces_ && lane.phase == Lane::Phase::posted) {
      const BlockSumStep& step = plan(lane)[lane.step];
      return {.peer = step.peer, .sending = step.kind == Kind::send};
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
}

}  // namespace strata
