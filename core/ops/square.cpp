// SPDX-License-Identifier: Apache-2.0
#include "core/ops/elementwise.h"
#include "core/ops/ops.h"

namespace strata {
namespace {

struct Square {
  template <class T>
  static T apply(T x) {
    return static_cast<T>(x * x);
  }
};

std::vector<Tensor> gradient(const GradientArgs& args) { return {args.grad() * 2.0 * args.input()}; }

constexpr ElementwiseRule kRule = unary_rule<Square, Types::numeric>("square", gradient);

}  // namespace

Tensor ops::square(const Tensor& x) { return elementwise(kRule, {x}); }

void register_square(OpRegistry& registry) { registry.add(elementwise_entry(kRule, -2, 2)); }

}  // namespace strata
