// SPDX-License-Identifier: Apache-2.0
#include "core/ops/elementwise.h"
#include "core/ops/ops.h"
#include "core/ops/vector_math.h"

namespace strata {
namespace {

struct Expm1 {
  template <class T>
  STRATA_INLINE static T apply(T x) {
    return vector_math::expm1(x);
  }
};

std::vector<Tensor> gradient(const GradientArgs& args) { return {args.grad() * (args.output() + 1.0)}; }

constexpr ElementwiseRule kRule = unary_rule<Expm1, Types::floating>("expm1", gradient);

}  // namespace

Tensor ops::expm1(const Tensor& x) { return elementwise(kRule, {x}); }

void register_expm1(OpRegistry& registry) { registry.add(elementwise_entry(kRule, -2, 2)); }

}  // namespace strata
