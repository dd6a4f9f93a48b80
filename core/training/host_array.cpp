// SPDX-License-Identifier: Apache-2.0
#include "core/training/host_array.h"

#include "core/base/error.h"
#include "core/tensor/variable.h"

namespace strata {
namespace {

/// Whether the tensor is a variable, perhaps under another shape: later assignments would change its elements.
bool is_variable(const Tensor& tensor) {
  const Node* node = tensor.node().get();
  while (node->op().is_view()) node = node->inputs()[0].node().get();
  return dynamic_cast<const VariableOp*>(&node->op()) != nullptr;
}

std::vector<Dim> dense_strides(const TensorSpec& spec) {
  std::vector<Dim> strides(static_cast<std::size_t>(spec.shape.rank()));
  Dim stride = static_cast<Dim>(size_of(spec.dtype));
  for (std::size_t axis = strides.size(); axis-- > 0;) {
    strides[axis] = stride;
    stride *= spec.shape[static_cast<int>(axis)];
  }
  return strides;
}

std::shared_ptr<const std::byte> share(const Buffer& buffer) { return {buffer.storage, buffer.data()}; }

std::shared_ptr<const std::byte> copy_to_host(const Buffer& buffer, std::size_t bytes) {
  Device& device = buffer.storage->device();
  const Buffer copy{std::make_shared<Storage>(cpu_device(), bytes), 0};
  const auto stream = device.make_stream();
  device.copy_to_host(copy.data(), buffer.data(), bytes, *stream);
  stream->synchronize();
  return share(copy);
}

}  // namespace

HostArray::HostArray(const Tensor& tensor) {
  if (tensor.rank() == 0) throw ShapeError("HostArray: expected an array with a sample axis, received a scalar");
  const HostViewOp* view = find_host_view(tensor);
  const Buffer* buffer = view == nullptr ? &tensor.eval() : nullptr;
  spec_ = tensor.spec();
  last_ = spec_.shape[0];
  row_bytes_ = TensorSpec{row_shape(), spec_.dtype}.bytes();
  if (view != nullptr) {
    rows_ = view->rows();
    return;
  }
  const bool shareable = buffer->storage->device().host_accessible() && !is_variable(tensor);
  held_ = shareable ? share(*buffer) : copy_to_host(*buffer, spec_.bytes());
  rows_ = StridedRows(held_.get(), spec_, dense_strides(spec_));
}

HostArray::HostArray(TensorSpec spec, std::shared_ptr<const std::byte> memory)
    : spec_(std::move(spec)),
      held_(std::move(memory)),
      rows_(held_.get(), spec_, dense_strides(spec_)),
      row_bytes_(TensorSpec{row_shape(), spec_.dtype}.bytes()),
      last_(spec_.shape[0]) {}

const std::byte* HostArray::readable_row(Dim i, std::vector<std::byte>& space) const {
  if (dense()) return row(i);
  space.resize(row_bytes_);
  copy_row(i, space.data());
  return space.data();
}

HostArray HostArray::rows(Dim first, Dim last) const {
  if (first < 0 || first > last || last > rows()) {
    throw ShapeError("HostArray: expected a range of rows within [0, " + std::to_string(rows()) + "), received [" +
                     std::to_string(first) + ", " + std::to_string(last) + ")");
  }
  HostArray part = *this;
  part.first_ = first_ + first;
  part.last_ = first_ + last;
  if (spec_.shape.rank() > 0) part.spec_.shape = spec_.shape.with(0, last - first);
  return part;
}

}  // namespace strata
