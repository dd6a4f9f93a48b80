// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <map>
#include <unordered_map>
#include <unordered_set>

#include "core/base/error.h"
#include "core/program/block_sum.h"
#include "core/program/graph.h"
#include "core/tensor/host_copy.h"

namespace strata {
namespace {

class Lowering {
 public:
  Lowering(const std::vector<Tensor>& inputs, Device& device) : device_(device) {
    for (std::size_t i = 0; i < inputs.size(); ++i) {
      require_known(inputs[i].spec(), "an input");
      place(inputs[i], graph_.add_value({GraphValue::input, inputs[i].spec(), i}));
    }
  }

  Graph run(const std::vector<Tensor>& outputs) {
    const auto order = topological_order(outputs);
    find_constants(order);
    mark_needed(order, outputs);
    for (const auto& node : order) {
      if (needed_.contains(node.get()) && !values_.contains(node.get())) visit(node);
    }
    for (const Tensor& output : outputs) graph_.outputs.push_back(value_of(output));
    return std::move(graph_);
  }

 private:
  static void require_known(const TensorSpec& spec, const std::string& what) {
    if (!spec.shape.is_known()) throw ShapeError("Program: expected known shapes, received " + what + " " + spec.str());
  }

  /// The variable that a node reads, whatever its value will be then; null for other nodes.
  static std::shared_ptr<const VariableOp> variable_read(Node& node) {
    return node.values().empty() ? std::dynamic_pointer_cast<const VariableOp>(node.shared_op()) : nullptr;
  }

  // A node is constant when neither a placeholder nor a variable nor a value of other blocks is below it.
  void find_constants(const std::vector<std::shared_ptr<Node>>& order) {
    for (const auto& node : order) {
      const bool leaf_that_changes =
          variable_read(*node) != nullptr || node->op().is_source() || is_block_sum(node->op());
      const bool constant = !leaf_that_changes && !values_.contains(node.get()) &&
                            std::all_of(node->inputs().begin(), node->inputs().end(),
                                        [&](const Tensor& t) { return constant_.contains(t.node().get()); });
      if (constant) constant_.insert(node.get());
    }
  }

  // What lies below a constant is not needed: the constant's value is taken as it is.
  void mark_needed(const std::vector<std::shared_ptr<Node>>& order, const std::vector<Tensor>& outputs) {
    for (const Tensor& output : outputs) needed_.insert(output.node().get());
    for (auto node = order.rbegin(); node != order.rend(); ++node) {
      if (!needed_.contains(node->get()) || constant_.contains(node->get()) || values_.contains(node->get())) continue;
      for (const Tensor& input : (*node)->inputs()) needed_.insert(input.node().get());
    }
  }

  void visit(const std::shared_ptr<Node>& node) {
    for (const TensorSpec& spec : node->outputs())
      require_known(spec, "the result of " + std::string(node->op().name()));
    if (auto variable = variable_read(*node)) {
      const Tensor read(node, 0);
      place(read, graph_.add_value({GraphValue::variable, read.spec(), graph_.variables.size()}));
      graph_.variables.push_back(std::move(variable));
    } else if (constant_.contains(node.get())) {
      add_constants(node);
    } else if (node->op().is_source()) {
      throw GraphError("Program: an output depends on a placeholder that is not among the inputs: " +
                       node->outputs()[0].str() + " " + node->op().attributes());
    } else {
      add_instruction(node);
    }
  }

  void add_constants(const std::shared_ptr<Node>& node) {
    for (std::size_t i = 0; i < node->outputs().size(); ++i) {
      const Tensor tensor(node, static_cast<int>(i));
      place(tensor, graph_.add_value({GraphValue::constant, tensor.spec(), intern(tensor)}));
    }
  }

  /// Small constants of equal bytes are kept once, so that expressions on them can be recognised as equal.
  std::size_t intern(const Tensor& tensor) {
    const DeviceScope scope(device_);
    const Buffer& buffer = tensor.eval();
    const std::string bytes = host_copy(buffer, tensor.spec().bytes());
    const auto [found, added] = interned_.try_emplace(tensor.spec().str() + ":" + bytes, graph_.constants.size());
    if (added) graph_.constants.push_back(on_device(buffer, bytes));
    return found->second;
  }

  Buffer on_device(const Buffer& buffer, const std::string& bytes) {
    if (&buffer.storage->device() == &device_) return buffer;
    Buffer moved{std::make_shared<Storage>(device_, bytes.size()), 0};
    const auto stream = device_.make_stream();
    device_.copy_from_host(moved.data(), bytes.data(), bytes.size(), *stream);
    stream->synchronize();
    return moved;
  }

  void add_instruction(const std::shared_ptr<Node>& node) {
    GraphInstruction instruction{node->shared_op(), {}, {}};
    std::string key = std::string(node->op().name()) + " " + node->op().attributes();
    for (const Tensor& input : node->inputs()) {
      instruction.inputs.push_back(value_of(input));
      key += " " + identity(instruction.inputs.back());
    }
    for (const TensorSpec& spec : node->outputs()) key += " " + spec.str();
    // Those of another block size may differ, so every block sum stays the instruction that it is in the trace.
    if (is_block_sum(node->op())) key += " #" + std::to_string(graph_.instructions.size());
    const auto [same, added] = computed_.try_emplace(key);
    if (added) {
      for (const TensorSpec& spec : node->outputs()) {
        GraphValue value{GraphValue::computed, spec};
        if (node->op().is_view()) value.view_of = instruction.inputs[0];
        instruction.outputs.push_back(graph_.add_value(std::move(value)));
      }
      same->second = instruction.outputs;
      if (!node->op().is_view()) graph_.instructions.push_back(std::move(instruction));
    }
    values_[node.get()] = same->second;
  }

  std::string identity(int value) const {
    const GraphValue& v = graph_.values[static_cast<std::size_t>(value)];
    return v.kind == GraphValue::constant ? "c" + std::to_string(v.index) : "v" + std::to_string(value);
  }

  void place(const Tensor& tensor, int value) {
    auto& numbers = values_[tensor.node().get()];
    numbers.resize(tensor.node()->outputs().size(), -1);
    numbers[static_cast<std::size_t>(tensor.index())] = value;
  }

  int value_of(const Tensor& tensor) const {
    return values_.at(tensor.node().get())[static_cast<std::size_t>(tensor.index())];
  }

  Device& device_;
  Graph graph_;
  std::unordered_map<const Node*, std::vector<int>> values_;
  std::unordered_set<const Node*> constant_;
  std::unordered_set<const Node*> needed_;
  std::map<std::string, std::size_t> interned_;
  std::map<std::string, std::vector<int>> computed_;
};

}  // namespace

std::vector<TensorSpec> Graph::specs(const std::vector<int>& numbers) const {
  std::vector<TensorSpec> result;
  for (int v : numbers) result.push_back(spec(v));
  return result;
}

int Graph::root(int value) const {
  while (values[static_cast<std::size_t>(value)].view_of >= 0) value = values[static_cast<std::size_t>(value)].view_of;
  return value;
}

std::vector<std::vector<std::size_t>> Graph::readers() const {
  std::vector<std::vector<std::size_t>> result(values.size());
  for (std::size_t i = 0; i < instructions.size(); ++i) {
    for (int v : instructions[i].inputs) result[static_cast<std::size_t>(v)].push_back(i);
  }
  return result;
}

bool Graph::is_output(int value) const { return std::find(outputs.begin(), outputs.end(), value) != outputs.end(); }

Graph lower(const std::vector<Tensor>& inputs, const std::vector<Tensor>& outputs, Device& device) {
  return Lowering(inputs, device).run(outputs);
}

}  // namespace strata
