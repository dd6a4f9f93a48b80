// SPDX-License-Identifier: Apache-2.0
// Internal to scan: the op, the graph of its body, and how such graphs are rewritten.
#pragma once

#include <map>
#include <memory>
#include <unordered_set>
#include <utility>
#include <vector>

#include "core/ops/kernel.h"

namespace strata {

/// A traced body: results as a function of placeholders. A carry may itself be an output: its value before the step.
struct ScanGraph {
  std::vector<Tensor> carries, inputs, captured;  // placeholders: from step to step, one slice a step, for all steps
  std::vector<Tensor> next, outputs;              // results: one a carry, and what is stacked over the steps

  std::vector<Tensor> placeholders() const;
  std::vector<Tensor> results() const;
};

using NodeSet = std::unordered_set<const Node*>;
using TensorKey = std::pair<const Node*, int>;
using TensorMap = std::map<TensorKey, Tensor>;

inline TensorKey key(const Tensor& tensor) { return {tensor.node().get(), tensor.index()}; }

/// Every node that `roots` depend on.
NodeSet nodes_below(const std::vector<Tensor>& roots);
/// `roots` with the tensors of `replacements` replaced wherever they are used.
std::vector<Tensor> substituted(const std::vector<Tensor>& roots, const TensorMap& replacements);
/// Moves out of the body what does not depend on its carries and inputs: makes placeholders for it, which become
/// `captured`, and returns the tensors they stand for.
std::vector<Tensor> capture(ScanGraph& body);

/// inputs: initial carries, sequences, captured. outputs: final carries, then the stacked outputs.
class ScanOp final : public Op {
 public:
  /// `base`: an op that this one differs from by further outputs only, or null.
  ScanOp(ScanGraph body, bool reverse, const ScanOp* base = nullptr);

  std::string_view name() const override { return "scan"; }
  std::string attributes() const override { return text_; }
  std::vector<TensorSpec> infer(std::span<const TensorSpec> inputs) const override;
  std::vector<Gradient> gradient(const GradientArgs& args) const override;

  const ScanGraph& body() const { return body_; }
  bool reverse() const { return reverse_; }
  /// attributes() of the op that this one extends; "" for none.
  const std::string& base() const { return base_; }

  /// What is left when only some outputs are read: an op, and which inputs and outputs of this one it has.
  struct Pruned {
    std::shared_ptr<const Op> op;
    std::vector<std::size_t> inputs, outputs;
  };
  Pruned pruned(const std::vector<bool>& read) const;

 private:
  ScanGraph body_;
  bool reverse_;
  std::string text_, base_;
};

Prepared prepare_scan(const KernelRequest& request);

}  // namespace strata
