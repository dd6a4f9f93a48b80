// SPDX-License-Identifier: Apache-2.0
#include "core/ops/elementwise.h"
#include "core/ops/ops.h"

namespace strata {
namespace {

struct Floor {
  template <class T>
  static T apply(T x) {
    return std::floor(x);
  }
};

constexpr ElementwiseRule kRule = unary_rule<Floor, Types::floating>("floor", nullptr);

}  // namespace

Tensor ops::floor(const Tensor& x) { return elementwise(kRule, {x}); }

void register_floor(OpRegistry& registry) { registry.add(elementwise_entry(kRule, -4, 4)); }

}  // namespace strata
