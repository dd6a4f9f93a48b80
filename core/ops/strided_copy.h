// SPDX-License-Identifier: Apache-2.0
// Copies a box of elements from one strided layout to another: what transpose, slice, concatenate, pad and flip are
// made of.
#pragma once

#include <cstddef>
#include <vector>

#include "core/base/shape.h"

namespace strata {

/// One axis of the box: its size, and how far apart its elements are in either layout (may be negative), in elements.
struct StridedAxis {
  Dim size;
  Dim from;
  Dim to;
};

/// Row-major strides of a shape, in elements.
std::vector<Dim> dense_strides(const Shape& shape);

/// A prepared copy. Immutable and thread-safe.
class StridedCopy {
 public:
  /// Offsets (of the box's first element) in elements; `element_bytes` is 1, 2, 4 or 8.
  StridedCopy(std::vector<StridedAxis> axes, Dim from_offset, Dim to_offset, std::size_t element_bytes);
  void run(const void* from, void* to) const;

 private:
  void merge_axes();
  void choose_plane();
  void walk(std::size_t axis, const std::byte* from, std::byte* to) const;
  template <class T>
  void copy_plane(const std::byte* from, std::byte* to) const;

  std::vector<StridedAxis> axes_;  // at least two; the last two are the plane that one inner loop copies
  std::ptrdiff_t from_offset_;     // bytes
  std::ptrdiff_t to_offset_;
  std::size_t element_bytes_;
  bool empty_;
};

}  // namespace strata
