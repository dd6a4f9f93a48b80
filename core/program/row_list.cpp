// SPDX-License-Identifier: Apache-2.0
#include "core/program/row_list.h"

#include <algorithm>
#include <cstring>

#include "core/base/error.h"
#include "core/program/add_elements.h"

namespace strata {
namespace {

/// How many ids there are in either of two ascending ranges.
Dim union_size(std::span<const std::int64_t> a, std::span<const std::int64_t> b) {
  Dim both = 0;
  for (std::size_t i = 0, j = 0; i < a.size() && j < b.size();) {
    both += a[i] == b[j] ? 1 : 0;
    const bool next_i = a[i] <= b[j], next_j = b[j] <= a[i];
    i += next_i ? 1 : 0;
    j += next_j ? 1 : 0;
  }
  return static_cast<Dim>(a.size() + b.size()) - both;
}

}  // namespace

// From the last row to the first: the place of a row in the result is never before its place in `to`.
void add_rows(const RowLayout& layout, std::byte* to, std::byte* from) {
  std::int64_t* ids = RowLayout::ids(to);
  const std::int64_t* other = RowLayout::ids(from);
  Dim i = RowLayout::count(to), j = RowLayout::count(from);
  Dim place = union_size({ids, static_cast<std::size_t>(i)}, {other, static_cast<std::size_t>(j)});
  if (place > layout.capacity) {
    throw InternalError("add_rows: expected at most " + std::to_string(layout.capacity) + " rows, received " +
                        std::to_string(place));
  }
  RowLayout::count(to) = place;
  while (j > 0) {
    --place;
    const bool own = i > 0 && ids[i - 1] >= other[j - 1];
    const bool both = own && ids[i - 1] == other[j - 1];
    std::byte* row = layout.row(to, place);
    ids[place] = own ? ids[i - 1] : other[j - 1];
    if (!own) std::memcpy(row, layout.row(from, j - 1), layout.row_bytes());
    else if (place != i - 1) std::memmove(row, layout.row(to, i - 1), layout.row_bytes());
    if (both) add_elements(layout.dtype, row, layout.row(from, j - 1), layout.width);
    i -= own ? 1 : 0;
    j -= !own || both ? 1 : 0;
  }
}

void end_rows(std::byte* list) {
  const Dim count = RowLayout::count(list);
  const Dim end = (count + RowLayout::kChunk - 1) / RowLayout::kChunk * RowLayout::kChunk;
  std::fill(RowLayout::ids(list) + count, RowLayout::ids(list) + end, std::int64_t{-1});
}

HostRows::HostRows(Device& device, const RowLayout& layout, std::span<void* const> lists)
    : device_(device),
      layout_(layout),
      lists_(lists.begin(), lists.end()),
      stream_(device.make_stream()),
      event_(device.make_event()) {
  for (void* list : lists_) {
    if (!device.host_accessible()) copies_.push_back(std::make_unique<Storage>(cpu_device(), layout.bytes()));
    host_.push_back(device.host_accessible() ? static_cast<std::byte*>(list) : copies_.back()->data());
  }
}

void HostRows::begin_read() {
  for (std::size_t i = 0; i < copies_.size(); ++i) {
    device_.copy_to_host(host_[i], lists_[i], layout_.bytes(), *stream_);
  }
  event_->record(*stream_);
}

void HostRows::begin_write() {
  if (!copies_.empty()) device_.copy_from_host(lists_[0], host_[0], layout_.bytes(), *stream_);
  event_->record(*stream_);
}

}  // namespace strata
