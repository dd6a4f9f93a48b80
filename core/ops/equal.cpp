// SPDX-License-Identifier: Apache-2.0
#include "core/ops/elementwise.h"
#include "core/ops/ops.h"

namespace strata {
namespace {

struct Equal {
  template <class T>
  static bool apply(T a, T b) {
    return a == b;
  }
};

constexpr ElementwiseRule kRule = predicate_rule<Equal, Types::any>("equal");

}  // namespace

Tensor ops::equal(const Tensor& a, const Tensor& b) { return elementwise(kRule, {a, b}); }

void register_equal(OpRegistry& registry) { registry.add(elementwise_entry(kRule, -2, 2)); }

}  // namespace strata
