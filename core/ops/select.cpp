// SPDX-License-Identifier: Apache-2.0
#include "core/ops/elementwise.h"
#include "core/ops/ops.h"

namespace strata {
namespace {

template <class T>
STRATA_SIMD_CLONES void select_loop(const void* const* inputs, void* output, Dim n) {
  const auto* condition = static_cast<const std::uint8_t*>(inputs[0]);  // compilers do not vectorise loads of bool
  const T* a = static_cast<const T*>(inputs[1]);
  const T* b = static_cast<const T*>(inputs[2]);
  T* out = static_cast<T*>(output);
#pragma GCC ivdep
  for (Dim i = 0; i < n; ++i) {
    const T x = a[i], y = b[i];
    out[i] = condition[i] != 0 ? x : y;
  }
}

ElementwiseLoop loop(Dtype operand) {
  return visit_dtype(operand, []<class T>(TypeTag<T>) -> ElementwiseLoop { return &select_loop<T>; });
}

std::vector<Tensor> gradient(const GradientArgs& args) {
  const Tensor zero = scalar(0, args.grad().dtype());
  return {Tensor(), ops::select(args.input(0), args.grad(), zero), ops::select(args.input(0), zero, args.grad())};
}

constexpr ElementwiseRule kRule{"select", 3, Types::any, false, true, &loop, gradient};

}  // namespace

Tensor ops::select(const Tensor& condition, const Tensor& a, const Tensor& b) {
  return elementwise(kRule, {condition, a, b});
}

void register_select(OpRegistry& registry) { registry.add(elementwise_entry(kRule, -2, 2)); }

}  // namespace strata
