// SPDX-License-Identifier: Apache-2.0
// Eager evaluation: computes what a tensor needs, node by node, and keeps the results in the nodes.
#include "core/base/error.h"
#include "core/base/thread_environment.h"
#include "core/ops/kernel.h"
#include "core/tensor/host_view.h"
#include "core/tensor/variable.h"

namespace strata {
namespace {

/// The memory a leaf reads from; null when the op computes something.
const Buffer* leaf_buffer(const Op& op) {
  if (const auto* variable = dynamic_cast<const VariableOp*>(&op)) return &variable->buffer();
  if (const auto* constant = dynamic_cast<const ConstantOp*>(&op)) return &constant->buffer();
  return nullptr;
}

const Buffer& buffer_of(const Tensor& tensor) {
  const auto& values = tensor.node()->values();  // a variable's node has one once the variable has changed
  return values.empty() ? *leaf_buffer(tensor.node()->op()) : values[static_cast<std::size_t>(tensor.index())];
}

/// The bytes of a tensor for a view of it. Those of a variable may change, which the view must not see: they are
/// copied.
Buffer view_of(const Tensor& tensor, Device& device, Stream& stream) {
  const Buffer& buffer = buffer_of(tensor);
  const bool live = tensor.node()->values().empty() && dynamic_cast<const VariableOp*>(&tensor.node()->op()) != nullptr;
  if (!live) return buffer;
  Buffer copy{std::make_shared<Storage>(device, tensor.spec().bytes()), 0};
  device.copy(copy.data(), buffer.data(), tensor.spec().bytes(), stream);
  return copy;
}

void compute(Node& node, Device& device, Stream& stream) {
  if (node.op().is_view()) {
    node.values() = {view_of(node.inputs()[0], device, stream)};
    return;
  }
  if (const auto* view = dynamic_cast<const HostViewOp*>(&node.op())) {
    node.values() = {view->copy(device, stream)};
    return;
  }
  std::vector<TensorSpec> inputs;
  std::vector<const void*> input_data;
  for (const Tensor& input : node.inputs()) {
    inputs.push_back(input.spec());
    input_data.push_back(buffer_of(input).data());
  }
  const auto chosen = choose_kernel({node.op(), inputs, node.outputs()}, device);
  std::vector<Buffer> outputs;
  std::vector<void*> output_data;
  for (const TensorSpec& spec : node.outputs()) {
    outputs.push_back({std::make_shared<Storage>(device, spec.bytes()), 0});
    output_data.push_back(outputs.back().data());
  }
  const Storage scratch(device, chosen.kernel->scratch_bytes());
  const auto state = chosen.kernel->make_state();
  const KernelArgs args{input_data.data(), output_data.data(), scratch.data(), state.get()};
  device.launch(stream, [&] { chosen.kernel->run(args, stream); });
  stream.synchronize();
  node.values() = std::move(outputs);
}

}  // namespace

const Buffer& Tensor::eval() const {
  if (!node_) throw GraphError("An empty Tensor handle has no value.");
  if (is_symbolic()) {
    throw GraphError("A symbolic tensor (" + spec().str() +
                     ") has no value: it depends on an Input. Run it through a Model.");
  }
  if (node_->values().empty()) {
    const ThreadEnvironment environment;
    Device& device = current_device();
    const auto stream = device.make_stream();
    for (const auto& node : topological_order(std::span(this, 1), true)) {
      if (leaf_buffer(node->op()) == nullptr) compute(*node, device, *stream);
    }
  }
  return buffer_of(*this);
}

}  // namespace strata
