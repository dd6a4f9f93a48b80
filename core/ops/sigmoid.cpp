// SPDX-License-Identifier: Apache-2.0
#include "core/ops/elementwise.h"
#include "core/ops/ops.h"
#include "core/ops/vector_math.h"

namespace strata {
namespace {

struct Sigmoid {
  template <class T>
  STRATA_INLINE static T apply(T x) {
    return vector_math::sigmoid(x);
  }
};

std::vector<Tensor> gradient(const GradientArgs& args) { return {args.grad() * args.output() * (1.0 - args.output())}; }

constexpr ElementwiseRule kRule = unary_rule<Sigmoid, Types::floating>("sigmoid", gradient);

}  // namespace

Tensor ops::sigmoid(const Tensor& x) { return elementwise(kRule, {x}); }

void register_sigmoid(OpRegistry& registry) { registry.add(elementwise_entry(kRule, -4, 4)); }

}  // namespace strata
