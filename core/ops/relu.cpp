// SPDX-License-Identifier: Apache-2.0
#include "core/ops/elementwise.h"
#include "core/ops/ops.h"

namespace strata {
namespace {

struct Relu {
  template <class T>
  static T apply(T x) {
    return x > T{0} ? x : T{0};
  }
};

std::vector<Tensor> gradient(const GradientArgs& args) {
  const Tensor zero = scalar(0, args.output().dtype());
  return {ops::select(ops::greater(args.output(), zero), args.grad(), zero)};
}

constexpr ElementwiseRule kRule = unary_rule<Relu, Types::floating>("relu", gradient);

}  // namespace

Tensor ops::relu(const Tensor& x) { return elementwise(kRule, {x}); }

void register_relu(OpRegistry& registry) { registry.add(elementwise_entry(kRule, -2, 2)); }

}  // namespace strata
