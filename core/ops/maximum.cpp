// SPDX-License-Identifier: Apache-2.0
#include "core/ops/elementwise.h"
#include "core/ops/ops.h"

namespace strata {
namespace {

struct Maximum {
  // A NaN operand gives NaN.
  template <class T>
  static T apply(T a, T b) {
    return a > b || a != a ? a : b;
  }
};

std::vector<Tensor> gradient(const GradientArgs& args) {
  const Tensor zero = scalar(0, args.grad().dtype());
  const Tensor first = ops::greater_equal(args.input(0), args.input(1));
  return {ops::select(first, args.grad(), zero), ops::select(first, zero, args.grad())};
}

constexpr ElementwiseRule kRule = binary_rule<Maximum, Types::numeric>("maximum", gradient);

}  // namespace

Tensor ops::maximum(const Tensor& a, const Tensor& b) { return elementwise(kRule, {a, b}); }

void register_maximum(OpRegistry& registry) { registry.add(elementwise_entry(kRule, -2, 2)); }

}  // namespace strata
