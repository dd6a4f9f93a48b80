// SPDX-License-Identifier: Apache-2.0
#include <algorithm>

#include "core/base/error.h"
#include "core/ops/matmul.h"
#include "core/ops/ops.h"
#include "core/program/block_sum.h"
#include "core/program/scan_op.h"

namespace strata {
namespace {

std::vector<Tensor> joined(std::vector<Tensor> all, const std::vector<Tensor>& more) {
  all.insert(all.end(), more.begin(), more.end());
  return all;
}

/// The nodes that depend on the carries and inputs of a step.
NodeSet step_nodes(const ScanGraph& body, const std::vector<std::shared_ptr<Node>>& order) {
  NodeSet inside;
  for (const Tensor& t : joined(body.carries, body.inputs)) inside.insert(t.node().get());
  for (const auto& node : order) {
    const auto is_inside = [&](const Tensor& t) { return inside.contains(t.node().get()); };
    if (std::any_of(node->inputs().begin(), node->inputs().end(), is_inside)) inside.insert(node.get());
  }
  return inside;
}

void replace_results(ScanGraph& body, const TensorMap& replacements) {
  const std::vector<Tensor> results = substituted(body.results(), replacements);
  const auto split = results.begin() + static_cast<std::ptrdiff_t>(body.next.size());
  body.next.assign(results.begin(), split);
  body.outputs.assign(split, results.end());
}

/// Kernels read a second operand that is transposed more slowly; one from outside is transposed there, once.
void transpose_outside(ScanGraph& body) {
  const auto order = topological_order(body.results());
  const NodeSet inside = step_nodes(body, order);
  TensorMap replacements;
  for (const auto& node : order) {
    const auto* product = dynamic_cast<const MatMulOp*>(&node->op());
    if (product == nullptr || !product->transpose_b() || !inside.contains(node.get())) continue;
    const Tensor &a = node->inputs()[0], &b = node->inputs()[1];
    if (inside.contains(b.node().get()) || b.rank() != 2) continue;
    replacements[{node.get(), 0}] = ops::matmul(a, ops::transpose(b, {1, 0}), product->transpose_a(), false);
  }
  if (!replacements.empty()) replace_results(body, replacements);
}

}  // namespace

std::vector<Tensor> ScanGraph::placeholders() const { return joined(joined(carries, inputs), captured); }
std::vector<Tensor> ScanGraph::results() const { return joined(next, outputs); }

NodeSet nodes_below(const std::vector<Tensor>& roots) {
  NodeSet nodes;
  for (const auto& node : topological_order(roots)) nodes.insert(node.get());
  return nodes;
}

std::vector<Tensor> substituted(const std::vector<Tensor>& roots, const TensorMap& replacements) {
  TensorMap now = replacements;
  const auto find = [&](const Tensor& t) {
    const auto found = now.find(key(t));
    return found == now.end() ? t : found->second;
  };
  for (const auto& node : topological_order(roots)) {
    std::vector<Tensor> inputs;
    bool changed = false;
    for (const Tensor& input : node->inputs()) {
      inputs.push_back(find(input));
      changed = changed || !inputs.back().same_as(input);
    }
    if (!changed) continue;
    for (const Tensor& output : apply_op(node->shared_op(), std::move(inputs))) {
      now.try_emplace({node.get(), output.index()}, output);
    }
  }
  std::vector<Tensor> results;
  for (const Tensor& root : roots) results.push_back(find(root));
  return results;
}

std::vector<Tensor> capture(ScanGraph& body) {
  transpose_outside(body);
  const auto order = topological_order(body.results());
  const NodeSet inside = step_nodes(body, order);
  std::vector<Tensor> outer;
  TensorMap replacements;
  const auto take = [&](const Tensor& t) {
    if (inside.contains(t.node().get()) || replacements.contains(key(t))) return;
    outer.push_back(t);
    replacements[key(t)] = body.captured.emplace_back(placeholder(t.spec()));
  };
  for (const auto& node : order) {
    if (!inside.contains(node.get())) continue;
    if (is_block_sum(node->op())) throw ConfigError("scan: a sum over blocks cannot be taken inside a loop");
    for (const Tensor& input : node->inputs()) take(input);
  }
  for (const Tensor& result : body.results()) take(result);
  replace_results(body, replacements);
  return outer;
}

}  // namespace strata
