// SPDX-License-Identifier: Apache-2.0
#include "core/ops/elementwise.h"
#include "core/ops/ops.h"

namespace strata {
namespace {

struct Rsqrt {
  template <class T>
  static T apply(T x) {
    return T{1} / std::sqrt(x);
  }
};

std::vector<Tensor> gradient(const GradientArgs& args) { return {args.grad() * -0.5 * args.output() / args.input()}; }

constexpr ElementwiseRule kRule = unary_rule<Rsqrt, Types::floating>("rsqrt", gradient);

}  // namespace

Tensor ops::rsqrt(const Tensor& x) { return elementwise(kRule, {x}); }

void register_rsqrt(OpRegistry& registry) { registry.add(elementwise_entry(kRule, 0.25, 4)); }

}  // namespace strata
