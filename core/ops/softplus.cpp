// SPDX-License-Identifier: Apache-2.0
#include "core/ops/elementwise.h"
#include "core/ops/ops.h"
#include "core/ops/vector_math.h"

namespace strata {
namespace {

struct Softplus {
  template <class T>
  STRATA_INLINE static T apply(T x) {
    return vector_math::softplus(x);
  }
};

std::vector<Tensor> gradient(const GradientArgs& args) { return {args.grad() * ops::sigmoid(args.input())}; }

constexpr ElementwiseRule kRule = unary_rule<Softplus, Types::floating>("softplus", gradient);

}  // namespace

Tensor ops::softplus(const Tensor& x) { return elementwise(kRule, {x}); }

void register_softplus(OpRegistry& registry) { registry.add(elementwise_entry(kRule, -4, 4)); }

}  // namespace strata
