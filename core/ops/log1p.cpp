// SPDX-License-Identifier: Apache-2.0
#include "core/ops/elementwise.h"
#include "core/ops/ops.h"
#include "core/ops/vector_math.h"

namespace strata {
namespace {

struct Log1p {
  template <class T>
  STRATA_INLINE static T apply(T x) {
    return vector_math::log1p(x);
  }
};

std::vector<Tensor> gradient(const GradientArgs& args) { return {args.grad() / (args.input() + 1.0)}; }

constexpr ElementwiseRule kRule = unary_rule<Log1p, Types::floating>("log1p", gradient);

}  // namespace

Tensor ops::log1p(const Tensor& x) { return elementwise(kRule, {x}); }

void register_log1p(OpRegistry& registry) { registry.add(elementwise_entry(kRule, -0.5, 4)); }

}  // namespace strata
