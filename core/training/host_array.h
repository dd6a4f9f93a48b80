// SPDX-License-Identifier: Apache-2.0
// HostArray: data that training reads row by row: a tensor's elements in host memory. Axis 0 is the sample axis.
#pragma once

#include <memory>

#include "core/tensor/arrays.h"

namespace strata {

/// Immutable; copies share the memory. Thread-safe.
class HostArray {
 public:
  HostArray() = default;
  /// Computes the tensor; copies its elements only when they are not in host memory, or are a Variable's, which may
  /// change. Throws ShapeError for a scalar.
  explicit HostArray(const Tensor& tensor);

  const TensorSpec& spec() const { return spec_; }
  Dim rows() const { return spec_.shape.rank() == 0 ? 0 : last_ - first_; }
  std::size_t row_bytes() const { return row_bytes_; }
  const std::byte* row(Dim i) const { return data_.get() + static_cast<std::size_t>(first_ + i) * row_bytes_; }
  /// The shape of one row.
  Shape row_shape() const { return spec_.shape.slice(1, spec_.shape.rank()); }
  /// Rows [first, last) of this array; shares the memory. Throws ShapeError when there are no such rows.
  HostArray rows(Dim first, Dim last) const;
  explicit operator bool() const { return data_ != nullptr; }

 private:
  TensorSpec spec_;
  std::shared_ptr<const std::byte> data_;
  std::size_t row_bytes_ = 0;
  Dim first_ = 0;
  Dim last_ = 0;
};

}  // namespace strata
