// SPDX-License-Identifier: Apache-2.0
#include "layers/gate_math.h"

#include "layers/kernel_cell.h"

namespace strata {

CellStep lstm_step(const Tensor& z, const Tensor& c, const Activation& activation,
                   const Activation& recurrent_activation, int axis) {
  const Dim units = c.shape()[axis < 0 ? axis + c.rank() : axis];
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
