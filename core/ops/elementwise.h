// SPDX-License-Identifier: Apache-2.0
// Elementwise ops: out[i] = f(a[i], b[i], ...) after broadcasting. An op supplies one contiguous loop a dtype;
// broadcasting, fusion of chains and in-place execution are done here, once for all of them.
#pragma once

#include <cmath>
#include <span>
#include <string>
#include <vector>

#include "core/base/simd.h"
#include "core/ops/registry.h"

namespace strata {

/// Applies the function to n contiguous elements; `output` may be exactly one of the inputs.
using ElementwiseLoop = void (*)(const void* const* inputs, void* output, Dim n);

/// Which operand types an elementwise op takes.
enum class Types { any, numeric, floating, boolean };

/// One elementwise op. Instances are static constants, one a file in core/ops.
struct ElementwiseRule {
  std::string_view name;
  int arity;
  Types types;
  bool predicate;  // the result is bool, not the operands' type
  bool select;     // the first operand is bool and does not count for the type
  ElementwiseLoop (*loop)(Dtype operand);
  /// One entry an input, of the broadcast shape (the caller sums it back); null when not differentiable.
  std::vector<Tensor> (*gradient)(const GradientArgs& args);
};

/// Base of the ops that fusion may join. Its loop depends on the input dtypes only.
class ElementwiseOp : public Op {
 public:
  /// For dtypes that are not half, unless takes_halves().
  virtual ElementwiseLoop loop(std::span<const Dtype> inputs) const = 0;
  /// Whether the loop moves or converts elements of float16 and bfloat16 itself. That of other ops is given them as
  /// float32, and what it computes is rounded.
  virtual bool takes_halves() const { return false; }
};

/// The loop of ops::cast.
ElementwiseLoop cast_loop(Dtype from, Dtype to);

namespace detail {

template <class F, class In, class Out, int Arity>
STRATA_SIMD_CLONES void elementwise_loop(const void* const* inputs, void* output, Dim n) {
  Out* out = static_cast<Out*>(output);
  const In* a = static_cast<const In*>(inputs[0]);
  if constexpr (Arity == 1) {
#pragma GCC ivdep
    for (Dim i = 0; i < n; ++i) out[i] = static_cast<Out>(F::apply(a[i]));
  } else {
    const In* b = static_cast<const In*>(inputs[1]);
#pragma GCC ivdep
    for (Dim i = 0; i < n; ++i) out[i] = static_cast<Out>(F::apply(a[i], b[i]));
  }
}

template <class T>
constexpr bool takes(Types types) {
  switch (types) {
    case Types::any: return true;
    case Types::numeric: return !std::is_same_v<T, bool>;
    case Types::floating: return std::is_floating_point_v<T>;
    case Types::boolean: return std::is_same_v<T, bool>;
  }
  return false;
}

template <class F, int Arity, Types Accepted, bool Predicate>
ElementwiseLoop loop_for(Dtype operand) {
  return visit_dtype(operand, []<class T>(TypeTag<T>) -> ElementwiseLoop {
    if constexpr (takes<T>(Accepted)) {
      return &elementwise_loop<F, T, std::conditional_t<Predicate, bool, T>, Arity>;
    } else {
      return nullptr;
    }
  });
}

}  // namespace detail

using ElementwiseGradient = std::vector<Tensor> (*)(const GradientArgs&);

/// `F::apply(T) -> T` (or bool for predicates) for every accepted T.
template <class F, Types Accepted>
constexpr ElementwiseRule unary_rule(std::string_view name, ElementwiseGradient gradient) {
  return {name, 1, Accepted, false, false, &detail::loop_for<F, 1, Accepted, false>, gradient};
}
template <class F, Types Accepted>
constexpr ElementwiseRule binary_rule(std::string_view name, ElementwiseGradient gradient) {
  return {name, 2, Accepted, false, false, &detail::loop_for<F, 2, Accepted, false>, gradient};
}
template <class F, Types Accepted>
constexpr ElementwiseRule predicate_rule(std::string_view name) {
  return {name, 2, Accepted, true, false, &detail::loop_for<F, 2, Accepted, true>, nullptr};
}

/// Applies a rule: broadcasts the shapes; operands must have one dtype (DtypeError otherwise).
Tensor elementwise(const ElementwiseRule& rule, std::vector<Tensor> inputs);

/// The registry entry of a rule, with the standard examples (same shape, broadcasting, scalar) of inputs in [low,
/// high).
OpEntry elementwise_entry(const ElementwiseRule& rule, double low, double high);

/// The candidate list of every ElementwiseOp: the chunked kernel of elementwise_kernel.h.
std::vector<Candidate> elementwise_candidates();

/// Sums a gradient of a broadcast result back to the shape of the operand it belongs to.
Tensor sum_to_shape(const Tensor& gradient, const Shape& shape);

}  // namespace strata
