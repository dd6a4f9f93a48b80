// SPDX-License-Identifier: Apache-2.0
#include "core/ops/elementwise.h"
#include "core/ops/ops.h"

namespace strata {
namespace {

struct LogicalNot {
  // Bitwise: short-circuits do not vectorise.
  static bool apply(bool x) { return static_cast<bool>(x ^ true); }
};

constexpr ElementwiseRule kRule = unary_rule<LogicalNot, Types::boolean>("logical_not", nullptr);

}  // namespace

Tensor ops::logical_not(const Tensor& x) { return elementwise(kRule, {x}); }

void register_logical_not(OpRegistry& registry) { registry.add(elementwise_entry(kRule, 0, 2)); }

}  // namespace strata
