// SPDX-License-Identifier: Apache-2.0
// HostArray: data that training reads row by row: a tensor's elements in host memory. Axis 0 is the sample axis.
#pragma once

#include <initializer_list>
#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "core/tensor/tensor.h"

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

/// One or several arrays of equally many rows: one tensor, a list of tensors, tensors by the name of the input or
/// output they are for, as in `{{"title", titles}, {"body", bodies}}`, or nothing.
class Arrays {
 public:
  using Named = std::pair<std::string, Tensor>;

  Arrays() = default;
  Arrays(const Tensor& tensor) : tensors_{tensor} {}                     // NOLINT(google-explicit-constructor)
  Arrays(std::vector<Tensor> tensors) : tensors_(std::move(tensors)) {}  // NOLINT(google-explicit-constructor)
  Arrays(std::initializer_list<Tensor> tensors) : tensors_(tensors) {}   // NOLINT(google-explicit-constructor)
  /// Throws ConfigError for a name used twice.
  Arrays(const std::vector<Named>& named);            // NOLINT(google-explicit-constructor)
  Arrays(std::initializer_list<Named> named);         // NOLINT(google-explicit-constructor)
  Arrays(const std::map<std::string, Tensor>& named)  // NOLINT(google-explicit-constructor)
      : Arrays(std::vector<Named>(named.begin(), named.end())) {}

  /// In the order they were given.
  const std::vector<Tensor>& tensors() const { return tensors_; }
  bool empty() const { return tensors_.empty(); }
  bool is_named() const { return !names_.empty(); }
  /// One a tensor; empty for a list.
  const std::vector<std::string>& names() const { return names_; }
  /// Null when no tensor has this name.
  const Tensor* find(const std::string& name) const;

 private:
  std::vector<Tensor> tensors_;
  std::vector<std::string> names_;
};

}  // namespace strata
