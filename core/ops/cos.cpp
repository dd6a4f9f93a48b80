// SPDX-License-Identifier: Apache-2.0
#include "core/ops/ops.h"
#include "core/ops/trigonometry.h"

namespace strata {
namespace {

struct Cos {
  STRATA_INLINE static float vectorised(float x) { return vector_math::cos(x); }
  template <class T>
  static T exact(T x) {
    return std::cos(x);
  }
};

std::vector<Tensor> gradient(const GradientArgs& args) { return {-(args.grad() * ops::sin(args.input()))}; }

constexpr ElementwiseRule kRule{"cos", 1, Types::floating, false, false, &detail::angle_loop_for<Cos>, gradient};

}  // namespace

Tensor ops::cos(const Tensor& x) { return elementwise(kRule, {x}); }

void register_cos(OpRegistry& registry) { registry.add(elementwise_entry(kRule, -4, 4)); }

}  // namespace strata
