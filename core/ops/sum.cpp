// SPDX-License-Identifier: Apache-2.0
#include "core/ops/ops.h"
#include "core/ops/reduction.h"

namespace strata {
namespace {

Tensor gradient(const ReductionGradientArgs& args) { return args.grad; }

constexpr ReductionRule kRule{"sum", &reduction_pass<SumCombine, false>, "a numeric dtype", false, gradient};

}  // namespace

Tensor ops::sum(const Tensor& x, std::vector<int> axes, bool keepdims) {
  return reduce(kRule, x, std::move(axes), keepdims);
}

void register_sum(OpRegistry& registry) { registry.add(reduction_entry(kRule)); }

}  // namespace strata
