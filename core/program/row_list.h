// SPDX-License-Identifier: Apache-2.0
// Lists of rows in memory: a gradient that is zero but for the rows a step has touched. They are added like dense
// gradients, without a pass over what is zero, and give the same bits.
#pragma once

#include <memory>
#include <span>
#include <vector>

#include "core/base/dtype.h"
#include "core/base/shape.h"
#include "core/tensor/device.h"

namespace strata {

/// How a list lies in memory: the number of its rows (int64), their ids (int64, ascending, distinct), their values,
/// each at a multiple of 64 bytes.
struct RowLayout {
  /// Lists are worked on in chunks of so many rows. Ids behind the last row are -1 up to the end of its chunk.
  static constexpr Dim kChunk = 64;

  Dtype dtype;   // floating
  Dim width;     // elements a row
  Dim capacity;  // rows: a multiple of kChunk

  std::size_t row_bytes() const { return static_cast<std::size_t>(width) * size_of(dtype); }
  static constexpr std::size_t ids_offset() { return 64; }
  std::size_t values_offset() const { return ids_offset() + static_cast<std::size_t>(capacity) * sizeof(std::int64_t); }
  std::size_t bytes() const {
    return (values_offset() + static_cast<std::size_t>(capacity) * row_bytes() + 63) / 64 * 64;
  }

  // Parts of the list at `data`.
  static std::int64_t& count(std::byte* data) { return *reinterpret_cast<std::int64_t*>(data); }
  static std::int64_t* ids(std::byte* data) { return reinterpret_cast<std::int64_t*>(data + ids_offset()); }
  std::byte* row(std::byte* data, Dim i) const {
    return data + values_offset() + static_cast<std::size_t>(i) * row_bytes();
  }
};

/// to += from, both in host memory; rows of one id add as accumulate() adds them. Allocates nothing. Throws
/// InternalError when the result does not fit.
void add_rows(const RowLayout& layout, std::byte* to, std::byte* from);

/// Sets the ids behind the last row to -1 up to the end of its chunk.
void end_rows(std::byte* list);

/// Lists of one layout in device memory, as the host can work on them: where they are, or in copies.
class HostRows {
 public:
  HostRows(Device& device, const RowLayout& layout, std::span<void* const> lists);
  /// Enqueues the copies to the host; ready() tells when they are there.
  void begin_read();
  /// Enqueues the copy of list 0 to the device; ready() tells when it is there.
  void begin_write();
  bool ready() const { return event_->query(); }
  void wait() const { event_->synchronize(); }
  std::byte* operator[](std::size_t list) const { return host_[list]; }
  const RowLayout& layout() const { return layout_; }

 private:
  Device& device_;
  RowLayout layout_;
  std::vector<void*> lists_;
  std::vector<std::byte*> host_;
  std::vector<std::unique_ptr<Storage>> copies_;  // none where the host reaches the lists
  std::unique_ptr<Stream> stream_;
  std::unique_ptr<Event> event_;
};

}  // namespace strata
