// SPDX-License-Identifier: Apache-2.0
#include "core/ops/ops.h"
#include "core/ops/trigonometry.h"

namespace strata {
namespace {

struct Sin {
  STRATA_INLINE static float vectorised(float x) { return vector_math::sin(x); }
  template <class T>
  static T exact(T x) {
    return std::sin(x);
  }
};

std::vector<Tensor> gradient(const GradientArgs& args) { return {args.grad() * ops::cos(args.input())}; }

constexpr ElementwiseRule kRule{"sin", 1, Types::floating, false, false, &detail::angle_loop_for<Sin>, gradient};

}  // namespace

Tensor ops::sin(const Tensor& x) { return elementwise(kRule, {x}); }

void register_sin(OpRegistry& registry) { registry.add(elementwise_entry(kRule, -4, 4)); }

}  // namespace strata
