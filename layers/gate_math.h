// SPDX-License-Identifier: Apache-2.0
// Internal to LSTM, ConvLSTM and GRU: what their gates compute.
#pragma once

#include "layers/activations.h"
#include "layers/cell.h"

namespace strata {

/// Whether both are what the ops of gates compute: tanh and sigmoid.
bool are_usual(const Activation& activation, const Activation& recurrent_activation);

/// With [i f g o] = input + recurrent, parts of an axis, s = recurrent_activation and a = activation:
/// c' = s(f) c + s(i) a(g), h' = s(o) a(c'). Output h', states h' and c'.
CellStep lstm_step(const Tensor& input, const Tensor& recurrent, const Tensor& c, const Activation& activation,
                   const Activation& recurrent_activation, int axis = -1);

/// `initializer` for all gates but the forget gate, which begins at 1.
Initializer ones_for_forget_gate(const Initializer& initializer);

}  // namespace strata
