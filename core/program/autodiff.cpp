// SPDX-License-Identifier: Apache-2.0
#include "core/program/autodiff.h"

#include <unordered_map>
#include <unordered_set>

#include "core/base/error.h"
#include "core/ops/ops.h"

namespace strata {
namespace {

Gradient accumulate(const Gradient& a, const Gradient& b, const Tensor& like) {
  if (!a) return b;
  if (!b) return a;
  if (a.is_rows() && b.is_rows()) {
    return {ops::concatenate({a.values, b.values}, 0), ops::concatenate({a.ids, b.ids}, 0)};
  }
  return {dense(a, like) + dense(b, like), {}};
}

using NodeGradients = std::unordered_map<const Node*, std::vector<Gradient>>;

void add_to(NodeGradients& all, const Tensor& tensor, const Gradient& gradient) {
  auto& slots = all[tensor.node().get()];
  slots.resize(tensor.node()->outputs().size());
  Gradient& slot = slots[static_cast<std::size_t>(tensor.index())];
  slot = accumulate(slot, gradient, tensor);
}

std::unordered_set<const Node*> nodes_leading_from(const std::vector<std::shared_ptr<Node>>& order,
                                                   const std::vector<Tensor>& sources) {
  std::unordered_set<const Node*> useful;
  for (const Tensor& source : sources) useful.insert(source.node().get());
  for (const auto& node : order) {
    for (const Tensor& input : node->inputs()) {
      if (useful.contains(input.node().get())) useful.insert(node.get());
    }
  }
  return useful;
}

void differentiate(const std::shared_ptr<Node>& node, const std::vector<Gradient>& slots,
                   const std::unordered_set<const Node*>& useful, NodeGradients& all) {
  std::vector<Tensor> outputs;
  std::vector<Tensor> grads;
  for (std::size_t i = 0; i < slots.size(); ++i) {
    outputs.emplace_back(node, static_cast<int>(i));
    grads.push_back(slots[i] ? dense(slots[i], outputs.back()) : Tensor());
  }
  const LayerScope scope(node->scope());
  const std::vector<Gradient> result = node->op().gradient({node->inputs(), outputs, grads});
  for (std::size_t i = 0; i < result.size(); ++i) {
    const Tensor& input = node->inputs()[i];
    if (result[i] && useful.contains(input.node().get())) add_to(all, input, result[i]);
  }
}

}  // namespace

Tensor dense(const Gradient& gradient, const Tensor& like) {
  if (!gradient) return ops::zeros_like(like);
  if (!gradient.is_rows()) return gradient.values;
  return ops::scatter_add(gradient.ids, gradient.values, like.shape()[0]);
}

std::vector<Gradient> gradients(const std::vector<Tensor>& targets, const std::vector<Tensor>& sources,
                                const std::vector<Tensor>& seeds) {
  if (!seeds.empty() && seeds.size() != targets.size()) {
    throw ConfigError("gradients: expected one seed a target (" + std::to_string(targets.size()) + "), received " +
                      std::to_string(seeds.size()));
  }
  const auto order = topological_order(targets);
  const auto useful = nodes_leading_from(order, sources);
  NodeGradients all;
  for (std::size_t i = 0; i < targets.size(); ++i) {
    if (!is_floating(targets[i].dtype())) {
      throw DtypeError("gradients: expected a floating target, received " + targets[i].spec().str());
    }
    if (!seeds.empty() && !shapes_fit(seeds[i].shape(), targets[i].shape())) {
      throw ShapeError("gradients: expected a seed of shape " + targets[i].shape().str() + ", received " +
                       seeds[i].shape().str());
    }
    add_to(all, targets[i], {seeds.empty() ? ops::ones_like(targets[i]) : seeds[i], {}});
  }
  for (auto node = order.rbegin(); node != order.rend(); ++node) {
    const auto found = all.find(node->get());
    if (found == all.end() || !useful.contains(node->get()) || (*node)->inputs().empty()) continue;
    const std::vector<Gradient> slots = found->second;
    differentiate(*node, slots, useful, all);
  }
  std::vector<Gradient> result(sources.size());
  for (std::size_t i = 0; i < sources.size(); ++i) {
    const auto found = all.find(sources[i].node().get());
    if (found != all.end()) result[i] = found->second[static_cast<std::size_t>(sources[i].index())];
  }
  return result;
}

}  // namespace strata
