// SPDX-License-Identifier: Apache-2.0
#include "distributed/row_sum.h"

#include <fmt/format.h>

#include <algorithm>

#include "core/base/error.h"

namespace strata {

using Kind = BlockSumStep::Kind;

RowSumRun::RowSumRun(Transport& transport, Device& device, const RowSumSpec& spec, int tag, int root)
    : transport_(transport),
      rows_(device, spec.layout, spec.partials),
      tag_(tag),
      plan_(plan_block_sum(rank_bounds(spec.blocks, transport.size()), transport.rank(),
                           rank_blocks(spec.blocks, transport.size(), root).first)
                .steps) {
  const bool receives =
      std::any_of(plan_.begin(), plan_.end(), [](const BlockSumStep& step) { return step.kind == Kind::receive_add; });
  if (receives) received_ = std::make_unique<Storage>(cpu_device(), spec.layout.bytes());
}

RowSumRun::~RowSumRun() { cancel(); }

void RowSumRun::start(const CallStamp& stamp) {
  stamp_ = stamp;
  rows_.begin_read();
  phase_ = Phase::reading;
  step_ = 0;
  piece_ = 0;
}

bool RowSumRun::advance() {
  if (phase_ == Phase::reading) {
    if (!rows_.ready()) return false;
    phase_ = Phase::adding;
  }
  bool moved = false;
  while (phase_ == Phase::adding && step_ < plan_.size()) {
    if (!advance_step()) return moved;
    moved = true;
  }
  if (phase_ == Phase::adding) {
    end_rows(rows_[0]);
    rows_.begin_write();
    phase_ = Phase::writing;
  }
  if (phase_ == Phase::writing && rows_.ready()) {
    phase_ = Phase::done;
    moved = true;
  }
  return moved;
}

// Returns whether anything moved.
bool RowSumRun::advance_step() {
  const BlockSumStep& step = plan_[step_];
  if (step.kind != Kind::add) return advance_messages(step);
  add_rows(rows_.layout(), rows_[static_cast<std::size_t>(step.partial)], rows_[static_cast<std::size_t>(step.from)]);
  ++step_;
  return true;
}

// One message at a time: only the first tells how many there are.
bool RowSumRun::advance_messages(const BlockSumStep& step) {
  std::byte* list = step.kind == Kind::receive_add ? received_->data() : rows_[static_cast<std::size_t>(step.partial)];
  if (!posted_) post(step, list);
  if (!transport_.test(request_)) return false;
  posted_ = false;
  if (piece_ == 0 && step.kind != Kind::send) take_head(step, list);
  ++piece_;
  if (piece(list, piece_).bytes == 0) finish_step(step);
  return true;
}

void RowSumRun::post(const BlockSumStep& step, std::byte* list) {
  const Piece next = piece(list, piece_);
  if (step.kind == Kind::send) {
    if (piece_ == 0) head_ = {RowLayout::count(list), stamp_};
    request_ = transport_.isend(next.data, next.bytes, step.peer, tag_);
    bytes_sent_ += static_cast<std::int64_t>(next.bytes);
  } else {
    request_ = transport_.irecv(next.data, next.bytes, step.peer, tag_);
  }
  posted_ = true;
}

// The head, then pieces of the ids, then pieces of the values; behind the last, nothing.
RowSumRun::Piece RowSumRun::piece(std::byte* list, Dim index) {
  if (index == 0) return {reinterpret_cast<std::byte*>(&head_), sizeof head_};
  const auto count = static_cast<std::size_t>(RowLayout::count(list));
  auto offset = static_cast<std::size_t>(index - 1) * kPieceBytes;
  const std::size_t ids = count * sizeof(std::int64_t);
  if (offset < ids) return {list + RowLayout::ids_offset() + offset, std::min(kPieceBytes, ids - offset)};
  offset -= (ids + kPieceBytes - 1) / kPieceBytes * kPieceBytes;
  const std::size_t values = count * rows_.layout().row_bytes();
  return {rows_.layout().row(list, 0) + offset, offset < values ? std::min(kPieceBytes, values - offset) : 0};
}

void RowSumRun::take_head(const BlockSumStep& step, std::byte* list) {
  if (head_.stamp != stamp_) throw Diverged{step.peer, head_.stamp};
  if (head_.count < 0 || head_.count > rows_.layout().capacity) {
    throw CommError(transport_.rank(), step.peer, "row sum",
                    fmt::format("rank {}: expected at most {} rows from {}, received {}", transport_.rank(),
                                rows_.layout().capacity, transport_.describe(step.peer), head_.count));
  }
  RowLayout::count(list) = head_.count;
}

void RowSumRun::finish_step(const BlockSumStep& step) {
  if (step.kind == Kind::receive_add) {
    add_rows(rows_.layout(), rows_[static_cast<std::size_t>(step.partial)], received_->data());
  }
  ++step_;
  piece_ = 0;
}

Awaited RowSumRun::awaited() const {
  if (!posted_) return {};
  const BlockSumStep& step = plan_[step_];
  return {step.peer, step.kind == Kind::send ? Awaited::What::room : Awaited::What::message};
}

void RowSumRun::cancel() noexcept {
  if (posted_) transport_.cancel(request_);
  posted_ = false;
  phase_ = Phase::done;
}

}  // namespace strata
