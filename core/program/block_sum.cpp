// SPDX-License-Identifier: Apache-2.0
#include "core/program/block_sum.h"

#include "core/base/error.h"
#include "core/ops/ops.h"
#include "core/ops/registry.h"
#include "core/program/copy.h"

namespace strata {

std::vector<TensorSpec> BlockSumOp::infer(std::span<const TensorSpec> inputs) const {
  if (!is_floating(inputs[0].dtype)) {
    throw DtypeError("block_sum: expected a floating dtype, received " + inputs[0].str());
  }
  return {inputs[0]};
}

// The loss of a step is the sum of what its blocks give, and each of them reads this sum.
std::vector<Gradient> BlockSumOp::gradient(const GradientArgs& args) const {
  return {{ops::block_sum(args.grad()), {}}};
}

Tensor ops::block_sum(const Tensor& x) { return apply_one(std::make_shared<BlockSumOp>(), {x}); }

void register_block_sum(OpRegistry& registry) {
  const auto build = [](const std::vector<Tensor>& x) { return std::vector<Tensor>{ops::block_sum(x[0])}; };
  registry.add({"block_sum",
                {copy_candidate()},
                {{"vector", {{{{5}, Dtype::float32}}}, build}, {"scalar", {{{{}, Dtype::float32}}}, build}}});
}

}  // namespace strata
