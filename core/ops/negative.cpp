// SPDX-License-Identifier: Apache-2.0
#include "core/ops/elementwise.h"
#include "core/ops/ops.h"

namespace strata {
namespace {

struct Negative {
  template <class T>
  static T apply(T x) {
    return static_cast<T>(-x);
  }
};

std::vector<Tensor> gradient(const GradientArgs& args) { return {-args.grad()}; }

constexpr ElementwiseRule kRule = unary_rule<Negative, Types::numeric>("negative", gradient);

}  // namespace

Tensor ops::negative(const Tensor& x) { return elementwise(kRule, {x}); }

void register_negative(OpRegistry& registry) { registry.add(elementwise_entry(kRule, -2, 2)); }

}  // namespace strata
