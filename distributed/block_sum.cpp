// SPDX-License-Identifier: Apache-2.0
#include "distributed/block_sum.h"

#include <xxhash.h>

#include <algorithm>
#include <cstring>

#include "core/base/error.h"
#include "distributed/error_feedback.h"

namespace strata {

using Kind = BlockSumStep::Kind;

namespace {

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
                         int first_tag, int first_root, SumPart part)
    : transport_(transport),
      device_(device),
      dtype_(spec.dtype),
      groups_(std::move(groups)),
      firsts_(first_partials(groups_, spec, transport.size())),
      first_tag_(first_tag),
      part_(part),
      compress_(spec.compress && spec.dtype == Dtype::float32 && groups_.groups() > 1),
      cut_(cut_sum(spec, groups_, transport.size(), first_root, part)) {
  if (!groups_.ports.empty()) ports_.emplace(groups_.ports, groups_.place, groups_.first(groups_.own));
  make_lanes(spec.shares);
  if (compress_) make_errors(spec, first_root);
}

BlockSumRun::~BlockSumRun() { cancel(); }

void BlockSumRun::make_lanes(const Shares& shares) {
  const bool alone = groups_.groups() == 1;
  const int lanes = alone ? groups_.own_size() : kLanes;
  for (int number = groups_.place; number < lanes; number += groups_.own_size()) {
    std::vector<std::size_t> own;
    for (std::size_t i = 0; i < cut_.pieces.size(); ++i) {
      // On one host alone the first partial of a rank is where the sums of its shares come together.
      const bool mine = alone && !shares.empty()
                            ? cut_.plans[cut_.pieces[i].plan].result == firsts_[static_cast<std::size_t>(groups_.place)]
                            : static_cast<int>(i % static_cast<std::size_t>(lanes)) == number;
      if (mine) own.push_back(i);
    }
    if (!own.empty()) make_lane(number, std::move(own));
  }
}

/// A piece is rounded where its group sends a node's sum up, and the whole sum once where it comes together to be sent
/// to all.
void BlockSumRun::make_errors(const BlockSumSpec& spec, int first_root) {
  std::size_t count = 0;
  first_errors_.resize(cut_.pieces.size());
  for (const Lane& lane : lanes_) {
    for (const std::size_t i : lane.pieces) {
      const BlockSumPlan& plan = cut_.plans[cut_.pieces[i].plan];
      const int roundings = plan.sends_up() + (plan.root && part_ == SumPart::all ? 1 : 0);
      first_errors_[i] = count;
      count += static_cast<std::size_t>(roundings) * cut_.pieces[i].bytes / sizeof(float);
    }
  }
  if (count == 0) return;
  errors_ = std::make_shared<Storage>(cpu_device(), count * sizeof(float));
  std::fill_n(reinterpret_cast<float*>(errors_->data()), count, 0.0F);
  // Pieces and plans follow from these.
  std::vector<std::int64_t> what{spec.count, spec.blocks, first_root,    static_cast<int>(part_),
                                 kLanes,     groups_.own, groups_.place, spec.shares.ranks};
  what.insert(what.end(), spec.shares.cuts.begin(), spec.shares.cuts.end());
  what.insert(what.end(), groups_.bounds.begin(), groups_.bounds.end());
  errors_layout_ = XXH3_64bits(what.data(), what.size() * sizeof(what[0]));
}

void BlockSumRun::make_lane(int number, std::vector<std::size_t> pieces) {
  std::size_t longest = 0;
  for (const std::size_t i : pieces) longest = std::max(longest, cut_.pieces[i].bytes);
  const bool messages = groups_.groups() > 1;
  Lane lane{
      number, std::move(pieces), 0, 0, 0, Lane::Phase::begin, 0, device_.make_stream(), device_.make_event(), nullptr,
      nullptr};
  if (messages) lane.scratch = std::make_unique<Storage>(device_, longest);
  if (messages && (lane.pieces[0] == 0 || compress_ || !device_.host_accessible())) {
    lane.stage = std::make_unique<Storage>(cpu_device(), longest + sizeof(CallStamp));
  }
  lanes_.push_back(std::move(lane));
}

void BlockSumRun::start(const CallStamp& stamp) {
  stamp_ = stamp;
  for (Lane& lane : lanes_) {
    lane.next = 0;
    lane.step = 0;
    lane.rounding = 0;
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
    if (open(lane)) moved |= advance_lane(lane);
  }
  return moved;
}

bool BlockSumRun::advance_lane(Lane& lane) {
  bool moved = false;
  const std::vector<BlockSumStep>& steps = plan(lane).steps;
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
  lane.rounding = 0;
  ++lane.next;
  if (!open(lane)) --open_lanes_;
  return true;
}

/// Gives the piece's sum to the other ranks of the group.
void BlockSumRun::spread(Lane& lane) {
  if (part_ == SumPart::up) return;
  const int from = plan(lane).result;
  for (const int first : firsts_) {
    if (first == from) continue;
    device_.copy(at(lane, first), at(lane, from), piece(lane).bytes, *lane.stream);
    bytes_sent_ += static_cast<std::int64_t>(piece(lane).bytes);
  }
}

void BlockSumRun::enqueue_before(Lane& lane, const BlockSumStep& step) {
  const std::size_t bytes = piece(lane).bytes;
  if (step.kind == Kind::add) {
    accumulate(device_, *lane.stream, dtype_, at(lane, step.partial), at(lane, step.from),
               static_cast<Dim>(bytes / size_of(dtype_)));
  } else if (step.kind == Kind::send && compress_) {
    device_.launch(*lane.stream, [&] { encode_message(lane, step); });
  } else if (step.kind == Kind::send && staged(lane)) {
    device_.copy_to_host(lane.stage->data(), at(lane, step.partial), bytes, *lane.stream);
  }
}

void BlockSumRun::post(Lane& lane, const BlockSumStep& step) {
  std::byte* data = message(lane, step);
  const std::size_t bytes = wire_bytes(lane), all = bytes + (stamped(lane) ? sizeof stamp_ : 0);
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
  const std::size_t bytes = piece(lane).bytes;
  if (stamped(lane)) {
    CallStamp theirs;
    std::memcpy(&theirs, lane.stage->data() + wire_bytes(lane), sizeof theirs);
    if (theirs != stamp_) throw Diverged{peer(lane, step), theirs};
  }
  std::byte* received = step.kind == Kind::receive_add ? lane.scratch->data() : at(lane, step.partial);
  if (compress_) device_.launch(*lane.stream, [&] { decode_message(lane, step); });
  else if (staged(lane)) device_.copy_from_host(received, lane.stage->data(), bytes, *lane.stream);
  if (step.kind == Kind::receive_add) {
    accumulate(device_, *lane.stream, dtype_, at(lane, step.partial), received,
               static_cast<Dim>(bytes / size_of(dtype_)));
  }
}

void BlockSumRun::encode_message(Lane& lane, const BlockSumStep& step) {
  auto* to = reinterpret_cast<Bfloat16*>(lane.stage->data());
  auto* values = reinterpret_cast<float*>(at(lane, step.partial));
  const std::size_t count = piece(lane).bytes / sizeof(float);
  if (!goes_down(lane)) return encode_with_feedback(to, values, errors(lane), count);
  // The first to go down from where the sum came together: everybody is to have what the others get.
  if (plan(lane).root && lane.rounding == plan(lane).sends_up()) round_with_feedback(values, errors(lane), count);
  encode(to, values, count);
}

void BlockSumRun::decode_message(Lane& lane, const BlockSumStep& step) {
  std::byte* to = step.kind == Kind::receive_add ? lane.scratch->data() : at(lane, step.partial);
  decode(reinterpret_cast<float*>(to), reinterpret_cast<const Bfloat16*>(lane.stage->data()),
         piece(lane).bytes / sizeof(float));
}

/// Of the next rounding.
float* BlockSumRun::errors(Lane& lane) {
  const std::size_t before = static_cast<std::size_t>(lane.rounding++) * (piece(lane).bytes / sizeof(float));
  return reinterpret_cast<float*>(errors_->data()) + first_errors_[lane.pieces[lane.next]] + before;
}

/// What crosses from one rank to another.
std::int64_t BlockSumRun::bytes_of_step(const Lane& lane, const BlockSumStep& step) const {
  const auto rank_of = [&](int partial) { return std::upper_bound(firsts_.begin(), firsts_.end(), partial); };
  const bool crosses =
      step.kind == Kind::send || (step.kind == Kind::add && rank_of(step.partial) != rank_of(step.from));
  return crosses ? static_cast<std::int64_t>(step.kind == Kind::send ? wire_bytes(lane) : piece(lane).bytes) : 0;
}

std::byte* BlockSumRun::at(const Lane& lane, int partial) const {
  return static_cast<std::byte*>(groups_.partials[static_cast<std::size_t>(partial)]) + piece(lane).offset;
}

// The host memory that the message of a step reads or writes.
std::byte* BlockSumRun::message(const Lane& lane, const BlockSumStep& step) const {
  if (staged(lane)) return lane.stage->data();
  return step.kind == Kind::receive_add ? lane.scratch->data() : at(lane, step.partial);
}

Awaited BlockSumRun::awaited() const {
  if (phase_ == Phase::arriving) return {ports_->first_missing(), Awaited::What::arrival};
  if (phase_ == Phase::finishing) return {ports_->first_unfinished(), Awaited::What::work};
  for (const Lane& lane : lanes_) {
    if (open(lane) && lane.phase == Lane::Phase::posted) {
      const BlockSumStep& step = plan(lane).steps[lane.step];
      return {peer(lane, step), step.kind == Kind::send ? Awaited::What::room : Awaited::What::message};
    }
  }
  return {};
}

void BlockSumRun::cancel() noexcept {
  for (Lane& lane : lanes_) {
    if (open(lane) && lane.phase == Lane::Phase::posted) transport_.cancel(lane.request);
    lane.next = lane.pieces.size();
  }
  open_lanes_ = 0;
  phase_ = Phase::done;
}

}  // namespace strata
