// SPDX-License-Identifier: Apache-2.0
#include "core/ops/elementwise.h"
#include "core/ops/ops.h"
#include "core/ops/vector_math.h"

namespace strata {
namespace {

struct Erf {
  template <class T>
  STRATA_INLINE static T apply(T x) {
    return vector_math::erf(x);
  }
};

std::vector<Tensor> gradient(const GradientArgs& args) {
  constexpr double kSlopeAtZero = 1.1283791670955126;  // 2 / sqrt(pi)
  return {args.grad() * kSlopeAtZero * ops::exp(-ops::square(args.input()))};
}

constexpr ElementwiseRule kRule = unary_rule<Erf, Types::floating>("erf", gradient);

}  // namespace

Tensor ops::erf(const Tensor& x) { return elementwise(kRule, {x}); }

void register_erf(OpRegistry& registry) { registry.add(elementwise_entry(kRule, -2, 2)); }

}  // namespace strata
