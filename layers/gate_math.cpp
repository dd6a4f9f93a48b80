// SPDX-License-Identifier: Apache-2.0
#include "layers/gate_math.h"

#include "layers/matrix_cell.h"

namespace strata {

CellStep lstm_step(const Tensor& input, const Tensor& recurrent, const Tensor& c, const Activation& activation,
                   const Activation& recurrent_activation) {
  const Dim units = c.shape().back();
  const Tensor z = input + recurrent;
  const auto gate = [&](Dim g) { return gate_columns(z, units, g, g + 1); };
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
