// SPDX-License-Identifier: Apache-2.0
#include "core/ops/elementwise.h"
#include "core/ops/ops.h"

namespace strata {
namespace {

struct LessEqual {
  template <class T>
  static bool apply(T a, T b) {
    return a <= b;
  }
};

constexpr ElementwiseRule kRule = predicate_rule<LessEqual, Types::any>("less_equal");

}  // namespace

Tensor ops::less_equal(const Tensor& a, const Tensor& b) { return elementwise(kRule, {a, b}); }

void register_less_equal(OpRegistry& registry) { registry.add(elementwise_entry(kRule, -2, 2)); }

}  // namespace strata
