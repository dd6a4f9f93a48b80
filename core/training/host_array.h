// SPDX-License-Identifier: Apache-2.0
// HostArray: data that training reads row by row: a tensor's elements in host memory, or the program's own memory at
// strides. Axis 0 is the sample axis.
#pragma once

#include <memory>

#include "core/tensor/arrays.h"
#include "core/tensor/host_view.h"

namespace strata {

/// Immutable; copies share the memory. Thread-safe.
class HostArray {
 public:
  HostArray() = default;
  /// Computes the tensor; copies its elements only when they are not in host memory, or are a Variable's, which may
  /// change. The rows of a host_view stay where they are. Throws ShapeError for a scalar.
  explicit HostArray(const Tensor& tensor);
  /// Rows one after the other in `memory`, which whoever owns it may fill anew.
  HostArray(TensorSpec spec, std::shared_ptr<const std::byte> memory);

  const TensorSpec& spec() const { return spec_; }
  Dim rows() const { return spec_.shape.rank() == 0 ? 0 : last_ - first_; }
  std::size_t row_bytes() const { return row_bytes_; }
  /// Whether the rows stand one after the other.
  bool dense() const { return rows_.dense(); }
  /// REQUIRES: dense().
  const std::byte* row(Dim i) const { return rows_.data() + static_cast<std::size_t>(first_ + i) * row_bytes_; }
  void copy_row(Dim i, std::byte* to) const { rows_.copy_row(first_ + i, to); }
  /// Row i where it stands, or a copy of it in `space`.
  template <class T>
  const T* values_of_row(Dim i, std::vector<std::byte>& space) const {
    return reinterpret_cast<const T*>(readable_row(i, space));
  }
  /// The shape of one row.
  Shape row_shape() const { return spec_.shape.slice(1, spec_.shape.rank()); }
  /// Rows [first, last) of this array; shares the memory. Throws ShapeError when there are no such rows.
  HostArray rows(Dim first, Dim last) const;
  explicit operator bool() const { return spec_.shape.rank() > 0; }

 private:
  const std::byte* readable_row(Dim i, std::vector<std::byte>& space) const;

  TensorSpec spec_;
  std::shared_ptr<const std::byte> held_;  // null for memory of the program
  StridedRows rows_;
  std::size_t row_bytes_ = 0;
  Dim first_ = 0;
  Dim last_ = 0;
};

}  // namespace strata
