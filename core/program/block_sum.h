// SPDX-License-Identifier: Apache-2.0
// Internal to compilation: the op whose value the engine of a step makes from those of all blocks.
#pragma once

#include "core/tensor/node.h"

namespace strata {

/// One input, one output of its spec. Its kernel copies, so that without an engine the op is the identity. A program
/// keeps every such op, apart and in the order of the trace (lower.cpp): the engine meets them on all blocks alike.
class BlockSumOp final : public Op {
 public:
  std::string_view name() const override { return "block_sum"; }
  std::vector<TensorSpec> infer(std::span<const TensorSpec> inputs) const override;
  std::vector<Gradient> gradient(const GradientArgs& args) const override;
};

inline bool is_block_sum(const Op& op) { return dynamic_cast<const BlockSumOp*>(&op) != nullptr; }

}  // namespace strata
