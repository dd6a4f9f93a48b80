// SPDX-License-Identifier: Apache-2.0
#include "core/program/scan_op.h"

#include <xxhash.h>

#include <algorithm>
#include <unordered_map>

#include "core/tensor/host_copy.h"

namespace strata {
namespace {

std::string content_hash(const Tensor& tensor) {
  const std::string bytes = host_copy(tensor.eval(), tensor.spec().bytes());
  return std::to_string(XXH3_64bits(bytes.data(), bytes.size()));
}

/// The graph as text: equal for equal functions, on every rank.
std::string graph_text(const std::vector<Tensor>& inputs, const std::vector<Tensor>& outputs) {
  std::unordered_map<const Node*, std::size_t> number;
  std::string text;
  for (const Tensor& input : inputs) number.emplace(input.node().get(), number.size());
  for (const auto& node : topological_order(outputs)) {
    if (!number.emplace(node.get(), number.size()).second) continue;
    text += std::string(node->op().name()) + "[" + node->op().attributes() + "]";
    if (dynamic_cast<const ConstantOp*>(&node->op()) != nullptr) text += content_hash(Tensor(node, 0));
    for (const Tensor& t : node->inputs()) {
      text += " " + std::to_string(number.at(t.node().get())) + "." + std::to_string(t.index());
    }
    text += ";";
  }
  for (const Tensor& t : outputs) {
    text += " " + std::to_string(number.at(t.node().get())) + "." + std::to_string(t.index());
  }
  return text;
}

/// The elements of `from` at `places`.
std::vector<Tensor> chosen(const std::vector<Tensor>& from, const std::vector<std::size_t>& places) {
  std::vector<Tensor> some;
  for (const std::size_t place : places) some.push_back(from[place]);
  return some;
}

/// Where `wanted` is true.
template <class Wanted>
std::vector<std::size_t> places(std::size_t count, const Wanted& wanted) {
  std::vector<std::size_t> found;
  for (std::size_t i = 0; i < count; ++i) {
    if (wanted(i)) found.push_back(i);
  }
  return found;
}

}  // namespace

ScanOp::ScanOp(ScanGraph body, bool reverse, const ScanOp* base)
    : body_(std::move(body)),
      reverse_(reverse),
      text_((reverse_ ? "reverse {" : "{") + graph_text(body_.placeholders(), body_.results()) + "}"),
      base_(base == nullptr ? "" : base->attributes()) {}

std::vector<TensorSpec> ScanOp::infer(std::span<const TensorSpec> inputs) const {
  const Dim steps = inputs[body_.carries.size()].shape[0];
  std::vector<TensorSpec> specs(inputs.begin(), inputs.begin() + static_cast<std::ptrdiff_t>(body_.carries.size()));
  for (const Tensor& t : body_.outputs) specs.push_back({Shape{steps}.concat(t.shape()), t.dtype()});
  return specs;
}

ScanOp::Pruned ScanOp::pruned(const std::vector<bool>& read) const {
  const std::size_t carries = body_.carries.size();
  const auto outputs = places(body_.outputs.size(), [&](std::size_t o) { return read[carries + o]; });
  std::vector<bool> carried(read.begin(), read.begin() + static_cast<std::ptrdiff_t>(carries));
  std::vector<std::size_t> kept;
  NodeSet needed;
  for (bool grown = true; grown;) {  // a carry that is read needs what its next value reads
    kept = places(carries, [&](std::size_t c) { return carried[c]; });
    std::vector<Tensor> results = chosen(body_.next, kept);
    for (const Tensor& output : chosen(body_.outputs, outputs)) results.push_back(output);
    needed = nodes_below(results);
    grown = false;
    for (std::size_t c = 0; c < carries; ++c) {
      if (carried[c] || !needed.contains(body_.carries[c].node().get())) continue;
      carried[c] = grown = true;
    }
  }
  const auto is_needed = [&](const Tensor& t) { return needed.contains(t.node().get()); };
  auto inputs = places(body_.inputs.size(), [&](std::size_t i) { return is_needed(body_.inputs[i]); });
  if (inputs.empty()) inputs.push_back(0);  // a scan has as many steps as its first sequence
  const auto captured = places(body_.captured.size(), [&](std::size_t k) { return is_needed(body_.captured[k]); });

  Pruned result{nullptr, kept, kept};
  for (const std::size_t i : inputs) result.inputs.push_back(carries + i);
  for (const std::size_t k : captured) result.inputs.push_back(carries + body_.inputs.size() + k);
  for (const std::size_t o : outputs) result.outputs.push_back(carries + o);
  result.op = std::make_shared<ScanOp>(
      ScanGraph{chosen(body_.carries, kept), chosen(body_.inputs, inputs), chosen(body_.captured, captured),
                chosen(body_.next, kept), chosen(body_.outputs, outputs)},
      reverse_);
  return result;
}

}  // namespace strata
