// SPDX-License-Identifier: Apache-2.0
// Reductions over any axes: an op supplies how two elements combine; axes, shapes and kernels are done here.
#pragma once

#include "core/ops/reduction_loops.h"
#include "core/ops/registry.h"

namespace strata {

/// Reduces (outer, n, inner) to (outer, inner).
using ReductionPass = void (*)(const void* from, void* to, Dim outer, Dim n, Dim inner);

/// What the gradient of a reduction sees, the reduced axes being kept with size 1.
struct ReductionGradientArgs {
  const Tensor& input;
  const Tensor& output;
  const Tensor& grad;
  const std::vector<int>& axes;  // normalised, ascending
};

/// One reduction. Instances are static constants, one a file in core/ops.
struct ReductionRule {
  std::string_view name;
  ReductionPass (*pass)(Dtype dtype);  // null for a dtype that is not taken
  const char* takes;                   // for messages: "a numeric dtype"
  bool divide;                         // by the number of elements in the end
  /// Of the input's shape, or one that broadcasts to it.
  Tensor (*gradient)(const ReductionGradientArgs& args);
};

template <class Combine, bool FloatingOnly>
ReductionPass reduction_pass(Dtype dtype) {
  return visit_dtype(dtype, []<class T>(TypeTag<T>) -> ReductionPass {
    if constexpr (std::is_same_v<T, bool> || (FloatingOnly && !std::is_floating_point_v<T>)) return nullptr;
    else return &reduce_pass<Combine, T>;
  });
}

Tensor reduce(const ReductionRule& rule, const Tensor& x, std::vector<int> axes, bool keepdims);
/// The registry entry of a rule, with the standard examples.
OpEntry reduction_entry(const ReductionRule& rule);

/// Broadcasts to the shape of `like`, also when that is not known yet.
Tensor broadcast_like(const Tensor& x, const Tensor& like);
/// The number of elements of `x` that one element of its reduction over `axes` is made of, as a scalar or a tensor that
/// broadcasts to `x`.
Tensor reduced_count(const Tensor& x, const std::vector<int>& axes);

}  // namespace strata
