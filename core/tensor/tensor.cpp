// SPDX-License-Identifier: Apache-2.0
#include "core/tensor/tensor.h"

#include "core/base/error.h"
#include "core/tensor/node.h"

namespace strata {
namespace {

thread_local Device* this_device = nullptr;

Buffer upload(const void* values, std::size_t bytes) {
  Device& device = current_device();
  Buffer buffer{std::make_shared<Storage>(device, bytes), 0};
  const auto stream = device.make_stream();
  device.copy_from_host(buffer.data(), values, bytes, *stream);
  stream->synchronize();
  return buffer;
}

}  // namespace

Device& current_device() { return this_device != nullptr ? *this_device : cpu_device(); }

DeviceScope::DeviceScope(Device& device) : previous_(this_device) { this_device = &device; }
DeviceScope::~DeviceScope() { this_device = previous_; }

const TensorSpec& Tensor::spec() const {
  if (!node_) throw GraphError("An empty Tensor handle has no shape.");
  return node_->outputs()[static_cast<std::size_t>(index_)];
}

bool Tensor::is_symbolic() const { return node_ && node_->is_symbolic(); }

void Tensor::copy_to_host(void* to, Dtype expected) const {
  if (expected != dtype()) {
    throw DtypeError("A tensor of dtype " + std::string(to_string(dtype())) + " was read as " +
                     std::string(to_string(expected)));
  }
  const Buffer& buffer = eval();
  Device& device = buffer.storage->device();
  const auto stream = device.make_stream();
  device.copy_to_host(to, buffer.data(), spec().bytes(), *stream);
  stream->synchronize();
}

Tensor constant_bytes(const void* values, std::size_t bytes, const TensorSpec& spec) {
  if (bytes != spec.bytes()) {
    throw ShapeError("constant: expected " + std::to_string(spec.bytes()) + " bytes for " + spec.str() + ", received " +
                     std::to_string(bytes));
  }
  return constant_buffer(upload(values, bytes), spec);
}

Tensor constant_buffer(Buffer buffer, const TensorSpec& spec) {
  return apply_one(std::make_shared<ConstantOp>(std::move(buffer), spec), {});
}

Tensor scalar(double value, Dtype dtype) {
  return visit_element(dtype, [&]<class T>(TypeTag<T>) {
    const T converted = static_cast<T>(static_cast<Widened<T>>(value));
    return constant_bytes(&converted, sizeof(T), {Shape{}, dtype});
  });
}

Tensor placeholder(TensorSpec spec, std::string name) {
  return apply_one(std::make_shared<PlaceholderOp>(std::move(spec), std::move(name)), {});
}

}  // namespace strata
