// SPDX-License-Identifier: Apache-2.0
#include "core/ops/gate_parts.h"

#include "core/base/error.h"
#include "core/ops/ops.h"

namespace strata {

Tensor gate_part(const Tensor& x, Dim units, Dim number) {
  std::vector<Dim> begin(static_cast<std::size_t>(x.rank()), 0), end(begin.size(), None);
  begin.back() = number * units;
  end.back() = (number + 1) * units;
  return ops::slice(x, std::move(begin), std::move(end));
}

TensorSpec gates_spec(const TensorSpec& state, Dim parts) {
  const Dim units = state.shape.back();
  return {state.shape.with(state.shape.rank() - 1, units == None ? None : parts * units), state.dtype};
}

void check_gates(const std::string& op, std::span<const TensorSpec> inputs, const TensorSpec& state,
                 std::initializer_list<Dim> parts) {
  if (!is_floating(state.dtype)) throw DtypeError(op + ": expected a floating state, received " + state.str());
  if (state.shape.rank() == 0) throw ShapeError(op + ": expected a state of rank 1 or more, received a scalar");
  for (std::size_t i = 0; i < inputs.size(); ++i) {
    const TensorSpec expected = gates_spec(state, parts.begin()[i]);
    if (inputs[i].dtype == expected.dtype && shapes_fit(inputs[i].shape, expected.shape)) continue;
    throw ShapeError(op + ": expected operand " + std::to_string(i) + " of " + expected.str() + " for a state of " +
                     state.str() + ", received " + inputs[i].str());
  }
}

}  // namespace strata
