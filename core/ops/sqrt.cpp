// SPDX-License-Identifier: Apache-2.0
#include "core/ops/elementwise.h"
#include "core/ops/ops.h"

namespace strata {
namespace {

struct Sqrt {
  template <class T>
  static T apply(T x) {
    return std::sqrt(x);
  }
};

std::vector<Tensor> gradient(const GradientArgs& args) { return {args.grad() * 0.5 / args.output()}; }

constexpr ElementwiseRule kRule = unary_rule<Sqrt, Types::floating>("sqrt", gradient);

}  // namespace

Tensor ops::sqrt(const Tensor& x) { return elementwise(kRule, {x}); }

void register_sqrt(OpRegistry& registry) { registry.add(elementwise_entry(kRule, 0.25, 4)); }

}  // namespace strata
