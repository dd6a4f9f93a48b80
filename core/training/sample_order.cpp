// SPDX-License-Identifier: Apache-2.0
#include "core/training/sample_order.h"

#include <algorithm>

#include "core/program/blocks.h"

namespace strata {
namespace {

/// The permutations within windows draw with another key than that of the chunks.
constexpr std::uint64_t kWithin = 0x57696E646F77u;

/// More lanes would not mix better, and fewer samples of a lane in a row are slower to read.
constexpr Dim kMostLanes = 64;

std::uint64_t mixed(std::uint64_t epoch, Dim window) {
  std::uint64_t x = (epoch << 32) ^ static_cast<std::uint64_t>(window);
  x = (x ^ (x >> 30)) * 0xBF58476D1CE4E5B9u;
  x = (x ^ (x >> 27)) * 0x94D049BB133111EBu;
  return x ^ (x >> 31);
}

}  // namespace

SampleOrder::SampleOrder(Dim rows, Dim batch_size, bool shuffled, ChunkLayout chunks, std::uint64_t seed)
    : rows_(rows), batch_size_(batch_size), shuffled_(shuffled), seed_(seed), chunk_rows_(chunks.rows) {
  if (!chunked()) return;
  chunks.starts.push_back(rows);
  Dim tails = 0;
  for (std::size_t i = 0; i + 1 < chunks.starts.size(); ++i) {
    const Dim first = std::min(chunks.starts[i], rows), size = std::min(chunks.starts[i + 1], rows) - first;
    parts_.push_back({first, chunks_, size / chunk_rows_, size % chunk_rows_, tails});
    chunks_ += parts_.back().chunks;
    tails += parts_.back().tail;
  }
  for (Part& part : parts_) part.tail_first += chunks_ * chunk_rows_;
  const Dim open = std::clamp<Dim>(chunks.open, 1, std::max<Dim>(chunks_, 1));
  lanes_ = std::min({open, batch_size, kMostLanes});
  window_chunks_ = open / lanes_;
}

std::string SampleOrder::describe() const {
  if (!shuffled_) return "as they stand";
  if (!chunked()) return "shuffled";
  std::string text = "shuffled in chunks of " + std::to_string(chunk_rows_) + ", " + std::to_string(lanes_) +
                     " lanes of " + std::to_string(window_chunks_) + ", files at";
  for (const Part& part : parts_) text += " " + std::to_string(part.first_row);
  return text;
}

/// The lane that holds offset `offset` of a batch of `size` samples: the last one that does not begin behind it.
Dim SampleOrder::lane_of(Dim offset, Dim size) const {
  Dim lane = static_cast<Dim>(static_cast<__int128>(offset) * lanes_ / size);
  while (lane + 1 < lanes_ && even_part(size, lanes_, lane + 1).first <= offset) ++lane;
  return lane;
}

// Lane l holds part l of every batch; the parts of equal batches have equal sizes. The last, smaller one, which may be
// left out, is at the lane's end or, with `last_leads`, at its beginning.
Dim SampleOrder::on_line(Dim position, bool last_leads) const {
  const Dim last_step = (rows_ - 1) / batch_size_, last_size = rows_ - last_step * batch_size_;
  const Dim step = position / batch_size_, offset = position % batch_size_;
  const Dim size = step == last_step ? last_size : batch_size_;
  const Dim lane = lane_of(offset, size);
  const IndexRange whole = even_part(batch_size_, lanes_, lane), last = even_part(last_size, lanes_, lane);
  const Dim lane_first = last_step * whole.first + last.first;
  if (step == last_step) return lane_first + (last_leads ? 0 : last_step * whole.size()) + (offset - last.first);
  return lane_first + (last_leads ? last.size() : 0) + step * whole.size() + (offset - whole.first);
}

Dim SampleOrder::first_row_of_chunk(Dim chunk) const {
  const auto next = std::upper_bound(parts_.begin(), parts_.end(), chunk,
                                     [](Dim c, const Part& part) { return c < part.first_chunk; });
  // The last part that begins at or before it and has chunks: parts without any share their first_chunk with the next.
  const Part& part = *std::prev(next);
  return part.first_row + (chunk - part.first_chunk) * chunk_rows_;
}

Dim SampleOrder::row_in_tails(Dim at) const {
  const auto next =
      std::upper_bound(parts_.begin(), parts_.end(), at, [](Dim a, const Part& part) { return a < part.tail_first; });
  const Part& part = *std::prev(next);
  return part.first_row + part.chunks * chunk_rows_ + (at - part.tail_first);
}

SampleOrder::Epoch::Epoch(const SampleOrder& order, std::uint64_t epoch) : order_(&order), epoch_(epoch) {
  const Dim count = order.chunked() ? order.chunks_ : order.rows_;
  if (order.shuffled_ && count > 0) samples_.emplace(count, order.seed_, epoch);
}

Dim SampleOrder::Epoch::operator()(Dim position) {
  if (!order_->shuffled_) return position;
  if (!order_->chunked()) return (*samples_)(position);
  return of_line(order_->on_line(position, epoch_ % 2 == 1));  // so that it is not always the tails that are left out
}

Dim SampleOrder::Epoch::of_line(Dim at) {
  const Dim chunk_rows = order_->chunk_rows_, in_chunks = order_->chunks_ * chunk_rows;
  const Dim of_window = order_->window_chunks_ * chunk_rows;
  // The tails are windows of their own, behind all others.
  const bool in_tail = at >= in_chunks;
  const Dim window = in_tail ? in_chunks / of_window + 1 + (at - in_chunks) / of_window : at / of_window;
  if (window != window_) {
    window_ = window;
    window_first_ = in_tail ? in_chunks + (at - in_chunks) / of_window * of_window : window * of_window;
    window_rows_ = std::min(of_window, (in_tail ? order_->rows_ : in_chunks) - window_first_);
    within_.emplace(window_rows_, order_->seed_ ^ kWithin, mixed(epoch_, window));
  }
  const Dim chosen = window_first_ + (*within_)(at - window_first_);
  if (in_tail) return order_->row_in_tails(chosen);
  return order_->first_row_of_chunk((*samples_)(chosen / chunk_rows)) + chosen % chunk_rows;
}

}  // namespace strata
