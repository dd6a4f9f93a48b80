// SPDX-License-Identifier: Apache-2.0
#include "core/ops/elementwise.h"
#include "core/ops/ops.h"

namespace strata {
namespace {

struct Sign {
  template <class T>
  static T apply(T x) {
    if (x != x) return x;  // NaN
    return static_cast<T>((x > T{0}) - (x < T{0}));
  }
};

constexpr ElementwiseRule kRule = unary_rule<Sign, Types::numeric>("sign", nullptr);

}  // namespace

Tensor ops::sign(const Tensor& x) { return elementwise(kRule, {x}); }

void register_sign(OpRegistry& registry) { registry.add(elementwise_entry(kRule, -2, 2)); }

}  // namespace strata
