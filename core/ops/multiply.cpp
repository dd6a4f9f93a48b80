// SPDX-License-Identifier: Apache-2.0
#include "core/ops/elementwise.h"
#include "core/ops/ops.h"

namespace strata {
namespace {

struct Multiply {
  template <class T>
  static T apply(T a, T b) {
    return static_cast<T>(a * b);
  }
};

std::vector<Tensor> gradient(const GradientArgs& args) {
  return {args.grad() * args.input(1), args.grad() * args.input(0)};
}

constexpr ElementwiseRule kRule = binary_rule<Multiply, Types::numeric>("multiply", gradient);

}  // namespace

Tensor ops::multiply(const Tensor& a, const Tensor& b) { return elementwise(kRule, {a, b}); }

void register_multiply(OpRegistry& registry) { registry.add(elementwise_entry(kRule, -2, 2)); }

}  // namespace strata
