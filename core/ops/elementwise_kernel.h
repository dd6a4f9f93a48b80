// SPDX-License-Identifier: Apache-2.0
// Runs a chain of elementwise steps chunk by chunk, so that what one step writes the next reads from the first-level cache.
// A single elementwise op is a chain of one step.
#pragma once

#include <array>

#include "core/ops/elementwise.h"

namespace strata {

/// One step of a chain. Values are numbered: the chain's inputs first, then the results of the steps in order.
struct ElementwiseStep {
  ElementwiseLoop loop;
  std::array<int, 3> operands;  // value numbers; -1 where there is none
  std::string name;             // of the op, for messages and hashes
};

struct ElementwiseChain {
  int inputs = 0;
  std::vector<Dtype> dtypes;  // of every value
  std::vector<ElementwiseStep> steps;
  std::vector<int> outputs;  // value numbers of step results, without repetition
};

/// Prepares a chain for inputs of these shapes, each of which must broadcast to `shape`, the shape of every output.
std::shared_ptr<const Kernel> make_elementwise_kernel(ElementwiseChain chain, std::span<const TensorSpec> inputs,
                                                      const Shape& shape);

/// A chain as an op: what the fusion pass replaces a group of elementwise nodes with.
class FusedElementwiseOp final : public Op {
 public:
  FusedElementwiseOp(ElementwiseChain chain, Shape shape) : chain_(std::move(chain)), shape_(std::move(shape)) {}
  std::string_view name() const override { return "fused_elementwise"; }
  std::vector<TensorSpec> infer(std::span<const TensorSpec> inputs) const override;
  /// "mul(0,1) add(2,1) -> 3".
  std::string attributes() const override;
  const ElementwiseChain& chain() const { return chain_; }

 private:
  ElementwiseChain chain_;
  Shape shape_;
};

}  // namespace strata
