// SPDX-License-Identifier: Apache-2.0
#include "core/ops/elementwise.h"
#include "core/ops/ops.h"

namespace strata {
namespace {

struct Abs {
  template <class T>
  static T apply(T x) {
    if constexpr (std::is_floating_point_v<T>) return std::fabs(x);
    else return x < T{0} ? static_cast<T>(T{0} - x) : x;
  }
};

std::vector<Tensor> gradient(const GradientArgs& args) { return {args.grad() * ops::sign(args.input())}; }

constexpr ElementwiseRule kRule = unary_rule<Abs, Types::numeric>("abs", gradient);

}  // namespace

Tensor ops::abs(const Tensor& x) { return elementwise(kRule, {x}); }

void register_abs(OpRegistry& registry) { registry.add(elementwise_entry(kRule, -2, 2)); }

}  // namespace strata
