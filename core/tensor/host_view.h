// SPDX-License-Identifier: Apache-2.0
// Memory of the program as a tensor, without a copy: columns of a table, or one field of an array of structs.
//     // double particles[n][8], of which columns 2 to 4 are the inputs and column 7 the target
//     model.train_on_batch(host_view(&particles[0][2], {n, 3}, {8, 1}), host_view(&particles[0][7], {n}, {8}));
#pragma once

#include <span>
#include <vector>

#include "core/tensor/node.h"

namespace strata {

/// A tensor whose element (i, j, ...) is the one at `data` + i strides[0] + j strides[1] + ..., in bytes; strides may
/// be anything that stays in the memory, also 0 or negative. The memory must outlive the tensor and whatever is
/// computed from it. Training, evaluation and prediction gather its rows each time they need them, and convert them
/// there, so that they see what the memory holds at that time; it must not change before they return. Everything else
/// (ops, calls of layers) copies the elements when it first needs them, and keeps the copy. Throws ShapeError without
/// an axis of samples, for unknown dimensions, and unless there is a stride an axis; ConfigError for a null pointer to
/// elements.
Tensor host_view_bytes(const void* data, const TensorSpec& spec, const std::vector<Dim>& strides);

/// The same with strides in elements of T.
template <class T>
Tensor host_view(const T* data, const Shape& shape, std::vector<Dim> strides) {
  for (Dim& stride : strides) stride *= static_cast<Dim>(sizeof(T));
  return host_view_bytes(data, {shape, dtype_of<T>()}, strides);
}

/// Rows of host memory, each gathered from runs of bytes at strides. A value; thread-safe.
class StridedRows {
 public:
  StridedRows() = default;
  StridedRows(const void* data, const TensorSpec& spec, std::span<const Dim> strides);

  const std::byte* data() const { return data_; }
  /// Whether the rows stand one after the other, as those of a tensor do.
  bool dense() const { return dense_; }
  /// Copies the elements of row i, in row-major order, to `to`.
  void copy_row(Dim i, std::byte* to) const { copy(data_ + i * row_stride_, 0, to); }

 private:
  struct Axis {
    Dim count;
    Dim stride;  // bytes
  };
  std::byte* copy(const std::byte* from, std::size_t axis, std::byte* to) const;

  const std::byte* data_ = nullptr;
  Dim row_stride_ = 0;
  std::vector<Axis> axes_;  // of a row, outermost first, without those that a run spans
  std::size_t run_bytes_ = 0;
  bool dense_ = false;
};

/// The leaf that host_view makes.
class HostViewOp final : public Op {
 public:
  HostViewOp(StridedRows rows, TensorSpec spec) : rows_(std::move(rows)), spec_(std::move(spec)) {}
  std::string_view name() const override { return "host_view"; }
  std::vector<TensorSpec> infer(std::span<const TensorSpec>) const override { return {spec_}; }
  const StridedRows& rows() const { return rows_; }
  /// The elements as they are now, on a device.
  Buffer copy(Device& device, Stream& stream) const;

 private:
  StridedRows rows_;
  TensorSpec spec_;
};

/// The view that `tensor` is, perhaps with its rows under another shape; null when it is none.
const HostViewOp* find_host_view(const Tensor& tensor);

}  // namespace strata
