// SPDX-License-Identifier: Apache-2.0
#include "core/ops/ops.h"
#include "core/ops/reduction.h"

namespace strata {
namespace {

Tensor gradient(const ReductionGradientArgs& args) { return args.grad / reduced_count(args.input, args.axes); }

constexpr ReductionRule kRule{"mean", &reduction_pass<SumCombine, true>, "a floating dtype", true, gradient};

}  // namespace

Tensor ops::mean(const Tensor& x, std::vector<int> axes, bool keepdims) {
  return reduce(kRule, x, std::move(axes), keepdims);
}

void register_mean(OpRegistry& registry) { registry.add(reduction_entry(kRule)); }

}  // namespace strata
