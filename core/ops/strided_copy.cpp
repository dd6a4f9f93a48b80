// SPDX-License-Identifier: Apache-2.0
#include "core/ops/strided_copy.h"

#include <algorithm>
#include <cstdint>
#include <cstring>

namespace strata {
namespace {

constexpr Dim kBlock = 16;  // a block of rows and columns stays in the first-level cache

/// to[r * to_stride + c] = from[r + c * from_stride] for a block of kBlock rows and columns.
template <class T>
void transpose_block(const T* from, Dim from_stride, T* to, Dim to_stride) {
  for (Dim r = 0; r < kBlock; ++r) {
    for (Dim c = 0; c < kBlock; ++c) to[r * to_stride + c] = from[r + c * from_stride];
  }
}

/// The same by 4 x 4 blocks in registers, which every 64-bit processor's vectors hold.
template <>
void transpose_block(const std::uint32_t* from, Dim from_stride, std::uint32_t* to, Dim to_stride) {
  using Four = std::uint32_t __attribute__((vector_size(16)));
  const auto load = [](const std::uint32_t* p) {
    Four v;
    std::memcpy(&v, p, sizeof(v));
    return v;
  };
  for (Dim r = 0; r < kBlock; r += 4) {
    for (Dim c = 0; c < kBlock; c += 4) {
      const std::uint32_t* p = from + r + c * from_stride;
      const Four a = load(p), b = load(p + from_stride), d = load(p + 2 * from_stride), e = load(p + 3 * from_stride);
      const Four ab_low = __builtin_shufflevector(a, b, 0, 4, 1, 5);
      const Four ab_high = __builtin_shufflevector(a, b, 2, 6, 3, 7);
      const Four de_low = __builtin_shufflevector(d, e, 0, 4, 1, 5);
      const Four de_high = __builtin_shufflevector(d, e, 2, 6, 3, 7);
      const Four rows[4] = {
          __builtin_shufflevector(ab_low, de_low, 0, 1, 4, 5), __builtin_shufflevector(ab_low, de_low, 2, 3, 6, 7),
          __builtin_shufflevector(ab_high, de_high, 0, 1, 4, 5), __builtin_shufflevector(ab_high, de_high, 2, 3, 6, 7)};
      for (Dim i = 0; i < 4; ++i) std::memcpy(to + (r + i) * to_stride + c, &rows[i], sizeof(Four));
    }
  }
}

/// to[r * to_stride + c] = from[r + c * from_stride].
template <class T>
void transpose_plane(const T* from, Dim from_stride, T* to, Dim to_stride, Dim rows, Dim columns) {
  Dim row = 0;
  for (; row + kBlock <= rows; row += kBlock) {
    Dim column = 0;
    for (; column + kBlock <= columns; column += kBlock) {
      transpose_block(from + row + column * from_stride, from_stride, to + row * to_stride + column, to_stride);
    }
    for (; column < columns; ++column) {
      for (Dim r = 0; r < kBlock; ++r) to[(row + r) * to_stride + column] = from[row + r + column * from_stride];
    }
  }
  for (; row < rows; ++row) {
    for (Dim c = 0; c < columns; ++c) to[row * to_stride + c] = from[row + c * from_stride];
  }
}

}  // namespace

std::vector<Dim> dense_strides(const Shape& shape) {
  std::vector<Dim> strides(static_cast<std::size_t>(shape.rank()));
  Dim stride = 1;
  for (int i = shape.rank(); i-- > 0;) {
    strides[static_cast<std::size_t>(i)] = stride;
    stride *= shape[i];
  }
  return strides;
}

StridedCopy::StridedCopy(std::vector<StridedAxis> axes, Dim from_offset, Dim to_offset, std::size_t element_bytes)
    : axes_(std::move(axes)),
      from_offset_(from_offset * static_cast<Dim>(element_bytes)),
      to_offset_(to_offset * static_cast<Dim>(element_bytes)),
      element_bytes_(element_bytes),
      empty_(std::any_of(axes_.begin(), axes_.end(), [](const StridedAxis& a) { return a.size == 0; })) {
  merge_axes();
  choose_plane();
}

void StridedCopy::merge_axes() {
  std::vector<StridedAxis> merged;
  for (const StridedAxis& axis : axes_) {
    if (axis.size == 1) continue;
    if (!merged.empty() && merged.back().from == axis.from * axis.size && merged.back().to == axis.to * axis.size) {
      merged.back() = {merged.back().size * axis.size, axis.from, axis.to};
    } else {
      merged.push_back(axis);
    }
  }
  axes_ = std::move(merged);
  while (axes_.size() < 2) axes_.insert(axes_.begin(), {1, 0, 0});
}

// The axis that is contiguous in the source, if it is not the innermost, becomes the other one of the plane.
void StridedCopy::choose_plane() {
  const auto last = axes_.end() - 1;
  if (last->from == 1) return;
  const auto contiguous = std::find_if(axes_.begin(), last, [](const StridedAxis& a) { return a.from == 1; });
  if (contiguous != last) std::rotate(contiguous, contiguous + 1, last);
}

template <class T>
void StridedCopy::copy_plane(const std::byte* from_bytes, std::byte* to_bytes) const {
  const StridedAxis& rows = axes_[axes_.size() - 2];
  const StridedAxis& columns = axes_.back();
  const T* from = reinterpret_cast<const T*>(from_bytes);
  T* to = reinterpret_cast<T*>(to_bytes);
  if (rows.from == 1 && columns.to == 1) {
    transpose_plane(from, columns.from, to, rows.to, rows.size, columns.size);
    return;
  }
  for (Dim r = 0; r < rows.size; ++r, from += rows.from, to += rows.to) {
    if (columns.from == 1 && columns.to == 1) {
      std::memcpy(to, from, static_cast<std::size_t>(columns.size) * sizeof(T));
    } else {
      for (Dim c = 0; c < columns.size; ++c) to[c * columns.to] = from[c * columns.from];
    }
  }
}

void StridedCopy::walk(std::size_t axis, const std::byte* from, std::byte* to) const {
  if (axis + 2 == axes_.size()) {
    if (element_bytes_ == 1) copy_plane<std::uint8_t>(from, to);
    else if (element_bytes_ == 2) copy_plane<std::uint16_t>(from, to);
    else if (element_bytes_ == 4) copy_plane<std::uint32_t>(from, to);
    else copy_plane<std::uint64_t>(from, to);
    return;
  }
  const auto bytes = static_cast<Dim>(element_bytes_);
  for (Dim i = 0; i < axes_[axis].size; ++i) {
    walk(axis + 1, from + i * axes_[axis].from * bytes, to + i * axes_[axis].to * bytes);
  }
}

void StridedCopy::run(const void* from, void* to) const {
  if (empty_) return;
  walk(0, static_cast<const std::byte*>(from) + from_offset_, static_cast<std::byte*>(to) + to_offset_);
}

}  // namespace strata
