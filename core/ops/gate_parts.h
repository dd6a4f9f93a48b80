// SPDX-License-Identifier: Apache-2.0
// Internal to the ops of recurrent gates: parts of the last axis, checks, and the loop over rows.
#pragma once

#include <string>

#include "core/base/simd.h"
#include "core/ops/registry.h"
#include "core/ops/vector_math.h"

namespace strata {

/// Functions of the standard library: the oracle.
struct LibraryMath {
  template <class T>
  STRATA_INLINE static T sigmoid(T x) {
    return T{1} / (T{1} + std::exp(-x));
  }
  template <class T>
  STRATA_INLINE static T tanh(T x) {
    return std::tanh(x);
  }
};
/// Those that compilers vectorise.
struct VectorMath {
  template <class T>
  STRATA_INLINE static T sigmoid(T x) {
    return vector_math::sigmoid(x);
  }
  template <class T>
  STRATA_INLINE static T tanh(T x) {
    return vector_math::tanh(x);
  }
};

/// Part `number` of the last axis, of `units` elements.
Tensor gate_part(const Tensor& x, Dim units, Dim number);

/// Throws unless inputs[i] is of the state's dtype and shape, with parts[i] times its last dimension. `parts` has one
/// entry an input.
void check_gates(const std::string& op, std::span<const TensorSpec> inputs, const TensorSpec& state,
                 std::initializer_list<Dim> parts);
/// The state's shape with `parts` times its last dimension.
TensorSpec gates_spec(const TensorSpec& state, Dim parts);

/// A kernel that calls run(TypeTag<T>, args, rows, units) for the state's dtype and size.
template <class Run>
Prepared prepare_gates(const TensorSpec& state, const Run& run) {
  return visit_dtype(state.dtype, [&]<class T>(TypeTag<T> type) -> Prepared {
    if constexpr (!std::is_floating_point_v<T>) {
      return "not a floating dtype";
    } else {
      const Dim units = state.shape.back(), rows = units == 0 ? 0 : state.shape.elements() / units;
      return make_kernel([=](const KernelArgs& args) { run(type, args, rows, units); });
    }
  });
}

}  // namespace strata
