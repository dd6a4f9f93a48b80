// SPDX-License-Identifier: Apache-2.0
#include "core/ops/ops.h"
#include "core/ops/reduction.h"

namespace strata {
namespace {

Tensor gradient(const ReductionGradientArgs& args) {
  const Tensor chosen = ops::cast(ops::equal(args.input, args.output), args.input.dtype());
  return args.grad / ops::sum(chosen, args.axes, true) * chosen;
}

constexpr ReductionRule kRule{"min", &reduction_pass<MinCombine, false>, "a numeric dtype", false, gradient};

}  // namespace

Tensor ops::min(const Tensor& x, std::vector<int> axes, bool keepdims) {
  return reduce(kRule, x, std::move(axes), keepdims);
}

void register_min(OpRegistry& registry) { registry.add(reduction_entry(kRule)); }

}  // namespace strata
