// SPDX-License-Identifier: Apache-2.0
#include "core/tensor/node.h"

#include <algorithm>
#include <unordered_set>

#include "core/base/error.h"

namespace strata {
namespace {

thread_local std::string this_scope;

std::string described(const std::string& what) {
  return this_scope.empty() ? what : "layer '" + this_scope + "': " + what;
}

std::vector<TensorSpec> checked_infer(const Op& op, std::span<const TensorSpec> specs) {
  try {
    return op.infer(specs);
  } catch (const ShapeError& e) {
    throw ShapeError(described(e.what()));
  } catch (const DtypeError& e) {
    throw DtypeError(described(e.what()));
  }
}

}  // namespace

std::vector<Gradient> Op::gradient(const GradientArgs& args) const { return std::vector<Gradient>(args.inputs.size()); }

Node::Node(std::shared_ptr<const Op> op, std::vector<Tensor> inputs, std::vector<TensorSpec> outputs)
    : op_(std::move(op)), inputs_(std::move(inputs)), outputs_(std::move(outputs)), scope_(this_scope) {
  symbolic_ =
      op_->is_source() || std::any_of(inputs_.begin(), inputs_.end(), [](const Tensor& t) { return t.is_symbolic(); });
}

// Releasing a long chain node by node would recurse once a node: the last owner collects them in a list instead.
Node::~Node() {
  thread_local std::vector<Tensor>* pending = nullptr;
  if (pending != nullptr) {
    std::move(inputs_.begin(), inputs_.end(), std::back_inserter(*pending));
    return;
  }
  std::vector<Tensor> released = std::move(inputs_);
  pending = &released;
  while (!released.empty()) {
    const Tensor last = std::move(released.back());
    released.pop_back();
  }
  pending = nullptr;
}

std::vector<Tensor> apply_op(std::shared_ptr<const Op> op, std::vector<Tensor> inputs) {
  std::vector<TensorSpec> specs;
  specs.reserve(inputs.size());
  for (const Tensor& input : inputs) {
    if (!input) throw GraphError(described(std::string(op->name()) + ": an input is an empty Tensor handle"));
    specs.push_back(input.spec());
  }
  std::vector<TensorSpec> outputs = checked_infer(*op, specs);
  const auto count = static_cast<int>(outputs.size());
  const auto node = std::make_shared<Node>(std::move(op), std::move(inputs), std::move(outputs));
  std::vector<Tensor> result;
  result.reserve(static_cast<std::size_t>(count));
  for (int i = 0; i < count; ++i) result.emplace_back(node, i);
  return result;
}

Tensor apply_one(std::shared_ptr<const Op> op, std::vector<Tensor> inputs) {
  return apply_op(std::move(op), std::move(inputs)).at(0);
}

LayerScope::LayerScope(std::string name) : previous_(std::move(this_scope)) { this_scope = std::move(name); }
LayerScope::~LayerScope() { this_scope = std::move(previous_); }
const std::string& LayerScope::current() { return this_scope; }

std::vector<std::shared_ptr<Node>> topological_order(std::span<const Tensor> roots, bool uncomputed_only) {
  struct Visit {
    std::shared_ptr<Node> node;
    std::size_t next_input = 0;
  };
  std::vector<std::shared_ptr<Node>> order;
  std::unordered_set<const Node*> seen;
  std::vector<Visit> stack;
  const auto visit = [&](const std::shared_ptr<Node>& node) {
    if (uncomputed_only && !node->values().empty()) return;
    if (seen.insert(node.get()).second) stack.push_back({node});
  };
  for (const Tensor& root : roots) {
    if (root) visit(root.node());
    while (!stack.empty()) {
      Visit& top = stack.back();
      if (top.next_input == top.node->inputs().size()) {
        order.push_back(std::move(top.node));
        stack.pop_back();
        continue;
      }
      visit(top.node->inputs()[top.next_input++].node());
    }
  }
  return order;
}

}  // namespace strata
