// SPDX-License-Identifier: Apache-2.0
// Tensor: a value handle on one output of a graph node. Ops build nodes; nothing is computed before a value is asked
// for.
#pragma once

#include <cstring>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "core/base/dtype.h"
#include "core/base/shape.h"
#include "core/tensor/device.h"

namespace strata {

class Node;

/// What is known of a tensor before it is computed.
struct TensorSpec {
  Shape shape;
  Dtype dtype = Dtype::float32;

  /// Size once computed. Throws ShapeError when a dimension is unknown.
  std::size_t bytes() const { return static_cast<std::size_t>(shape.elements()) * size_of(dtype); }
  /// "float32 (None, 64)".
  std::string str() const { return std::string(to_string(dtype)) + " " + shape.str(); }
  friend bool operator==(const TensorSpec&, const TensorSpec&) = default;
};

/// A cheap handle; copies mean the same tensor. Building graphs from several threads at once is safe; evaluating
/// tensors that share uncomputed nodes from several threads at once is not.
class Tensor {
 public:
  Tensor() = default;
  Tensor(std::shared_ptr<Node> node, int index) : node_(std::move(node)), index_(index) {}

  explicit operator bool() const { return node_ != nullptr; }
  const TensorSpec& spec() const;
  const Shape& shape() const { return spec().shape; }
  Dtype dtype() const { return spec().dtype; }
  int rank() const { return shape().rank(); }
  /// Whether this tensor depends on a placeholder, so that it has no value outside a Program.
  bool is_symbolic() const;

  const std::shared_ptr<Node>& node() const { return node_; }
  int index() const { return index_; }
  /// Whether both handles mean the same output of the same node.
  bool same_as(const Tensor& other) const { return node_ == other.node_ && index_ == other.index_; }

  /// Computes the tensor unless that was done before, and says where its elements are. Throws GraphError when symbolic.
  const Buffer& eval() const;
  /// Computes the tensor and copies its elements (row-major) to the host. `T` must match dtype(): DtypeError otherwise.
  template <class T>
  std::vector<T> to_vector() const;
  /// The value of a tensor of one element.
  template <class T>
  T item() const;

 private:
  void copy_to_host(void* to, Dtype expected) const;

  std::shared_ptr<Node> node_;
  int index_ = 0;
};

/// A tensor holding a copy of host values (row-major). Throws ShapeError unless `bytes` is the size of `spec`.
Tensor constant_bytes(const void* values, std::size_t bytes, const TensorSpec& spec);
/// A tensor on memory that already lies on a device; shares it, copies nothing.
Tensor constant_buffer(Buffer buffer, const TensorSpec& spec);

template <class T>
Tensor constant(std::span<const T> values, const Shape& shape) {
  return constant_bytes(values.data(), values.size_bytes(), {shape, dtype_of<T>()});
}
template <class T>
Tensor constant(const std::vector<T>& values, const Shape& shape) {
  return constant(std::span<const T>(values), shape);
}
template <class T>
Tensor constant(std::initializer_list<T> values, const Shape& shape) {
  return constant(std::span<const T>(values.begin(), values.size()), shape);
}
/// A scalar of the given dtype. `value` is converted as static_cast does.
Tensor scalar(double value, Dtype dtype = Dtype::float32);

/// A tensor without a value: an input of a Program or of a model. The shape may have unknown dimensions.
Tensor placeholder(TensorSpec spec, std::string name = "");

template <class T>
std::vector<T> Tensor::to_vector() const {
  const Dim n = shape().elements();
  if constexpr (std::is_same_v<T, bool>) {
    auto bytes = std::make_unique<bool[]>(static_cast<std::size_t>(n));
    copy_to_host(bytes.get(), Dtype::boolean);
    return std::vector<bool>(bytes.get(), bytes.get() + n);
  } else {
    std::vector<T> values(static_cast<std::size_t>(n));
    copy_to_host(values.data(), dtype_of<T>());
    return values;
  }
}

template <class T>
T Tensor::item() const {
  return to_vector<T>().at(0);
}

/// The device on which this thread evaluates tensors and creates constants: the CPU unless a DeviceScope says
/// otherwise.
Device& current_device();

/// Changes current_device() of this thread until the end of the scope.
class DeviceScope {
 public:
  explicit DeviceScope(Device& device);
  ~DeviceScope();
  DeviceScope(const DeviceScope&) = delete;
  DeviceScope& operator=(const DeviceScope&) = delete;

 private:
  Device* previous_;
};

}  // namespace strata
