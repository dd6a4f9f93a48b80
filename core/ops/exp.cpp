// SPDX-License-Identifier: Apache-2.0
#include "core/ops/elementwise.h"
#include "core/ops/ops.h"
#include "core/ops/vector_math.h"

namespace strata {
namespace {

struct Exp {
  template <class T>
  STRATA_INLINE static T apply(T x) {
    return vector_math::exp(x);
  }
};

std::vector<Tensor> gradient(const GradientArgs& args) { return {args.grad() * args.output()}; }

constexpr ElementwiseRule kRule = unary_rule<Exp, Types::floating>("exp", gradient);

}  // namespace

Tensor ops::exp(const Tensor& x) { return elementwise(kRule, {x}); }

void register_exp(OpRegistry& registry) { registry.add(elementwise_entry(kRule, -2, 2)); }

}  // namespace strata
