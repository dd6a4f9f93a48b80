// SPDX-License-Identifier: Apache-2.0
// What gather and scatter_add share: ids that name rows.
#pragma once

#include <string>

#include "core/base/error.h"
#include "core/tensor/tensor.h"

namespace strata {

/// Throws DtypeError unless ids are int32 or int64.
inline void expect_ids(const char* op, const TensorSpec& ids) {
  if (ids.dtype == Dtype::int32 || ids.dtype == Dtype::int64) return;
  throw DtypeError(std::string(op) + ": expected ids of dtype int32 or int64, received " + ids.str());
}

/// Id i of an int32 or int64 array.
inline Dim id_at(const void* ids, Dtype dtype, Dim i) {
  return dtype == Dtype::int32 ? static_cast<const std::int32_t*>(ids)[i] : static_cast<const std::int64_t*>(ids)[i];
}

/// Asks for rows a few before they are needed. Those of a large table lie anywhere in memory: the processor waits for
/// each of them in turn unless it is told in time.
class RowPrefetch {
 public:
  /// The rows that `count` ids name.
  RowPrefetch(const void* table, Dim rows, std::size_t row_bytes, const void* ids, Dtype id_dtype, Dim count)
      : table_(static_cast<const std::byte*>(table)),
        rows_(rows),
        row_bytes_(row_bytes),
        ids_(ids),
        id_dtype_(id_dtype),
        count_(count) {
    for (Dim i = 0; i < kAhead; ++i) ask(i);
  }
  /// To be called when id i is worked on.
  void operator()(Dim i) const { ask(i + kAhead); }

 private:
  static constexpr Dim kAhead = 8;
  static constexpr std::size_t kMostBytes = 1024;  // of a row: what follows is read in order

  void ask(Dim i) const {
    if (i >= count_) return;
    const Dim row = id_at(ids_, id_dtype_, i);
    if (row < 0 || row >= rows_) return;
    const std::byte* data = table_ + static_cast<std::size_t>(row) * row_bytes_;
    for (std::size_t line = 0; line < row_bytes_ && line < kMostBytes; line += 64) __builtin_prefetch(data + line);
  }

  const std::byte* table_;
  Dim rows_;
  std::size_t row_bytes_;
  const void* ids_;
  Dtype id_dtype_;
  Dim count_;
};

}  // namespace strata
