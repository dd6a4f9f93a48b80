// SPDX-License-Identifier: Apache-2.0
// Runs a chain of elementwise steps chunk by chunk, so that what one step writes the next reads from the first-level
// cache. A single elementwise op is a chain of one step.
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

/// Appends the step of `op` to a chain and returns the value number of its result, of dtype `result`. Where the op does
/// not take halves, its operands are widened before and the result is rounded after, so that a chain computes what its
/// ops compute one by one.
int append_step(ElementwiseChain& chain, const ElementwiseOp& op, std::string name, const std::vector<int>& operands,
                Dtype result);

/// Prepares a chain for inputs of these shapes, each of which must broadcast to `shape`, the shape of every output.
std::shared_ptr<const Kernel> make_elementwise_kernel(ElementwiseChain chain, std::span<const TensorSpec> inputs,
                                                      const Shape& shape);

}  // namespace strata
