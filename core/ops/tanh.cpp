// SPDX-License-Identifier: Apache-2.0
#include "core/ops/elementwise.h"
#include "core/ops/ops.h"
#include "core/ops/vector_math.h"

namespace strata {
namespace {

struct Tanh {
  template <class T>
  STRATA_INLINE static T apply(T x) {
    return vector_math::tanh(x);
  }
};

std::vector<Tensor> gradient(const GradientArgs& args) { return {args.grad() * (1.0 - ops::square(args.output()))}; }

constexpr ElementwiseRule kRule = unary_rule<Tanh, Types::floating>("tanh", gradient);

}  // namespace

Tensor ops::tanh(const Tensor& x) { return elementwise(kRule, {x}); }

void register_tanh(OpRegistry& registry) { registry.add(elementwise_entry(kRule, -2, 2)); }

}  // namespace strata
