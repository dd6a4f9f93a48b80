// SPDX-License-Identifier: Apache-2.0
#include "layers/gate_math.h"

#include "core/ops/recurrent_gates.h"
#include "layers/kernel_cell.h"

namespace strata {

namespace {

/// Whether the activation is this op alone, whatever its name.
bool is_op(const Activation& activation, std::string_view op) {
  const Tensor x = placeholder({{1, 1}, Dtype::float32});
  const Tensor y = activation(x);
  return y.node()->op().name() == op && y.node()->inputs().at(0).same_as(x);
}

}  // namespace

bool are_usual(const Activation& activation, const Activation& recurrent_activation) {
  return is_op(activation, "tanh") && is_op(recurrent_activation, "sigmoid");
}

CellStep lstm_step(const Tensor& input, const Tensor& recurrent, const Tensor& c, const Activation& activation,
                   const Activation& recurrent_activation, int axis) {
  const bool last = axis == -1 || axis == c.rank() - 1;
  if (last && are_usual(activation, recurrent_activation)) {
    const std::vector<Tensor> found = ops::lstm_gates(input, recurrent, c);
    return {found[0], {found[0], found[1]}};
  }
  const Dim units = c.shape()[axis < 0 ? axis + c.rank() : axis];
  const Tensor z = input + recurrent;
  const auto gate = [&](Dim g) { return gate_columns(z, units, g, g + 1, axis); };
  const Tensor kept = recurrent_activation(gate(1)) * c;
  const Tensor carry = kept + recurrent_activation(gate(0)) * activation(gate(2));
  const Tensor h = recurrent_activation(gate(3)) * activation(carry);
  return {h, {h, carry}};
}

Initializer ones_for_forget_gate(const Initializer& initializer) {
  const auto draw = [initializer](const Shape& shape, Dtype dtype, const RandomKey& key) {
    const Dim units = shape[0] / 4;
    const RandomKey second{key.state, key.stream + 1};
    return ops::concatenate(
        {initializer({units}, dtype, key), ops::ones({units}, dtype), initializer({2 * units}, dtype, second)});
  };
  return {"Custom", Config::object(), draw};
}

}  // namespace strata
