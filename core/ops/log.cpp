// SPDX-License-Identifier: Apache-2.0
#include "core/ops/elementwise.h"
#include "core/ops/ops.h"
#include "core/ops/vector_math.h"

namespace strata {
namespace {

struct Log {
  template <class T>
  STRATA_INLINE static T apply(T x) {
    return vector_math::log(x);
  }
};

std::vector<Tensor> gradient(const GradientArgs& args) { return {args.grad() / args.input()}; }

constexpr ElementwiseRule kRule = unary_rule<Log, Types::floating>("log", gradient);

}  // namespace

Tensor ops::log(const Tensor& x) { return elementwise(kRule, {x}); }

void register_log(OpRegistry& registry) { registry.add(elementwise_entry(kRule, 0.25, 4)); }

}  // namespace strata
