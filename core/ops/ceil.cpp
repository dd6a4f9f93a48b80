// SPDX-License-Identifier: Apache-2.0
#include "core/ops/elementwise.h"
#include "core/ops/ops.h"

namespace strata {
namespace {

struct Ceil {
  template <class T>
  static T apply(T x) {
    return std::ceil(x);
  }
};

constexpr ElementwiseRule kRule = unary_rule<Ceil, Types::floating>("ceil", nullptr);

}  // namespace

Tensor ops::ceil(const Tensor& x) { return elementwise(kRule, {x}); }

void register_ceil(OpRegistry& registry) { registry.add(elementwise_entry(kRule, -4, 4)); }

}  // namespace strata
