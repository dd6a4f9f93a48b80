// SPDX-License-Identifier: Apache-2.0
#include "core/tensor/host_view.h"

#include <cstring>

#include "core/base/error.h"

namespace strata {

Tensor host_view_bytes(const void* data, const TensorSpec& spec, const std::vector<Dim>& strides) {
  const Shape& shape = spec.shape;
  if (shape.rank() == 0) throw ShapeError("host_view: expected an axis of samples, received shape ()");
  if (!shape.is_known()) throw ShapeError("host_view: expected known dimensions, received shape " + shape.str());
  if (static_cast<int>(strides.size()) != shape.rank()) {
    throw ShapeError("host_view: expected a stride for each of the " + std::to_string(shape.rank()) +
                     " axes of shape " + shape.str() + ", received " + std::to_string(strides.size()));
  }
  if (data == nullptr && shape.elements() > 0) {
    throw ConfigError("host_view: expected memory for " + spec.str() + ", received a null pointer");
  }
  return apply_one(std::make_shared<HostViewOp>(StridedRows(data, spec, strides), spec), {});
}

StridedRows::StridedRows(const void* data, const TensorSpec& spec, std::span<const Dim> strides)
    : data_(static_cast<const std::byte*>(data)), row_stride_(strides[0]), run_bytes_(size_of(spec.dtype)) {
  const auto continues_run = [&](int axis) {
    return spec.shape[axis] == 1 || strides[static_cast<std::size_t>(axis)] == static_cast<Dim>(run_bytes_);
  };
  int axis = spec.shape.rank() - 1;
  for (; axis > 0 && continues_run(axis); --axis) run_bytes_ *= static_cast<std::size_t>(spec.shape[axis]);
  dense_ = axis == 0 && continues_run(0) && reinterpret_cast<std::uintptr_t>(data) % size_of(spec.dtype) == 0;
  for (int a = 1; a <= axis; ++a) axes_.push_back({spec.shape[a], strides[static_cast<std::size_t>(a)]});
}

/// Returns where the next element goes.
std::byte* StridedRows::copy(const std::byte* from, std::size_t axis, std::byte* to) const {
  if (axis == axes_.size()) {
    if (run_bytes_ > 0) std::memcpy(to, from, run_bytes_);
    return to + run_bytes_;
  }
  for (Dim i = 0; i < axes_[axis].count; ++i) to = copy(from + i * axes_[axis].stride, axis + 1, to);
  return to;
}

Buffer HostViewOp::copy(Device& device, Stream& stream) const {
  Buffer buffer{std::make_shared<Storage>(device, spec_.bytes()), 0};
  const Storage host(cpu_device(), device.host_accessible() ? 0 : spec_.bytes());
  std::byte* const to = device.host_accessible() ? buffer.data() : host.data();
  const Dim rows = spec_.shape[0];
  const std::size_t row_bytes = rows == 0 ? 0 : spec_.bytes() / static_cast<std::size_t>(rows);
  for (Dim i = 0; i < rows; ++i) rows_.copy_row(i, to + static_cast<std::size_t>(i) * row_bytes);
  if (!device.host_accessible()) {
    device.copy_from_host(buffer.data(), to, spec_.bytes(), stream);
    stream.synchronize();
  }
  return buffer;
}

const HostViewOp* find_host_view(const Tensor& tensor) {
  const Node* node = tensor.node().get();
  while (node->op().is_view()) node = node->inputs()[0].node().get();
  const auto* view = dynamic_cast<const HostViewOp*>(&node->op());
  const bool same_rows = view != nullptr && tensor.rank() > 0 && node->outputs()[0].shape[0] == tensor.shape()[0];
  return same_rows ? view : nullptr;
}

}  // namespace strata
