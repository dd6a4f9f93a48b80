// SPDX-License-Identifier: Apache-2.0
#include "core/ops/elementwise.h"
#include "core/ops/ops.h"

namespace strata {
namespace {

struct IsFinite {
  template <class T>
  static bool apply(T x) {
    return std::fabs(x) <= std::numeric_limits<T>::max();
  }
};

constexpr ElementwiseRule kRule{
    "is_finite", 1, Types::floating, true, false, &detail::loop_for<IsFinite, 1, Types::floating, true>, nullptr};

}  // namespace

Tensor ops::is_finite(const Tensor& x) { return elementwise(kRule, {x}); }

void register_is_finite(OpRegistry& registry) { registry.add(elementwise_entry(kRule, -2, 2)); }

}  // namespace strata
