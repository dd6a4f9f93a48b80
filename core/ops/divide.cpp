// SPDX-License-Identifier: Apache-2.0
#include "core/ops/elementwise.h"
#include "core/ops/ops.h"

namespace strata {
namespace {

struct Divide {
  template <class T>
  static T apply(T a, T b) {
    if constexpr (std::is_floating_point_v<T>) {
      return a / b;
    } else {
      if (b == 0) return 0;
      // The quotient of the smallest integer and -1 does not exist; negating wraps around instead of trapping.
      if (std::is_signed_v<T> && b == static_cast<T>(-1)) return static_cast<T>(std::make_unsigned_t<T>{0} - a);
      return static_cast<T>(a / b);
    }
  }
};

std::vector<Tensor> gradient(const GradientArgs& args) {
  const Tensor scaled = args.grad() / args.input(1);
  return {scaled, -(scaled * args.output())};
}

constexpr ElementwiseRule kRule = binary_rule<Divide, Types::numeric>("divide", gradient);

}  // namespace

Tensor ops::divide(const Tensor& a, const Tensor& b) { return elementwise(kRule, {a, b}); }

void register_divide(OpRegistry& registry) { registry.add(elementwise_entry(kRule, 0.5, 2)); }

}  // namespace strata
