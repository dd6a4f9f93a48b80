// SPDX-License-Identifier: Apache-2.0
#include "core/ops/elementwise.h"
#include "core/ops/ops.h"

namespace strata {
namespace {

struct LogicalAnd {
  // Bitwise: short-circuits do not vectorise.
  static bool apply(bool a, bool b) { return static_cast<bool>(a & b); }
};

constexpr ElementwiseRule kRule = binary_rule<LogicalAnd, Types::boolean>("logical_and", nullptr);

}  // namespace

Tensor ops::logical_and(const Tensor& a, const Tensor& b) { return elementwise(kRule, {a, b}); }

void register_logical_and(OpRegistry& registry) { registry.add(elementwise_entry(kRule, 0, 2)); }

}  // namespace strata
