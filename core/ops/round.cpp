// SPDX-License-Identifier: Apache-2.0
#include "core/ops/elementwise.h"
#include "core/ops/ops.h"

namespace strata {
namespace {

struct Round {
  template <class T>
  static T apply(T x) {
    return std::nearbyint(x);
  }
};

constexpr ElementwiseRule kRule = unary_rule<Round, Types::floating>("round", nullptr);

}  // namespace

Tensor ops::round(const Tensor& x) { return elementwise(kRule, {x}); }

void register_round(OpRegistry& registry) { registry.add(elementwise_entry(kRule, -4, 4)); }

}  // namespace strata
