// SPDX-License-Identifier: Apache-2.0
#include "core/ops/elementwise.h"
#include "core/ops/ops.h"

namespace strata {
namespace {

struct Power {
  template <class T>
  static T apply(T a, T b) {
    return std::pow(a, b);
  }
};

std::vector<Tensor> gradient(const GradientArgs& args) {
  const Tensor& a = args.input(0);
  const Tensor& b = args.input(1);
  const Tensor zero = scalar(0, a.dtype());
  const Tensor one = scalar(1, a.dtype());
  // x^0 is constant even at x = 0, and the derivative in the exponent is taken as 0 where log(a) does not exist.
  const Tensor safe_exponent = ops::select(ops::equal(b, zero), one, b - 1.0);
  const Tensor positive = ops::greater(a, zero);
  const Tensor log_a = ops::select(positive, ops::log(ops::select(positive, a, one)), zero);
  return {args.grad() * b * ops::power(a, safe_exponent), args.grad() * args.output() * log_a};
}

constexpr ElementwiseRule kRule = binary_rule<Power, Types::floating>("power", gradient);

}  // namespace

Tensor ops::power(const Tensor& a, const Tensor& b) { return elementwise(kRule, {a, b}); }

void register_power(OpRegistry& registry) { registry.add(elementwise_entry(kRule, 0.5, 2)); }

}  // namespace strata
