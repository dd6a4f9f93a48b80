// SPDX-License-Identifier: Apache-2.0
#include "core/ops/elementwise.h"
#include "core/ops/ops.h"

namespace strata {
namespace {

struct Add {
  template <class T>
  static T apply(T a, T b) {
    return static_cast<T>(a + b);
  }
};

constexpr ElementwiseRule kRule =
    binary_rule<Add, Types::numeric>("add", [](const GradientArgs& args) -> std::vector<Tensor> {
      return {args.grad(), args.grad()};
    });

}  // namespace

Tensor ops::add(const Tensor& a, const Tensor& b) { return elementwise(kRule, {a, b}); }

void register_add(OpRegistry& registry) { registry.add(elementwise_entry(kRule, -2, 2)); }

}  // namespace strata
