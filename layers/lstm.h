// SPDX-License-Identifier: Apache-2.0
// LSTM: a recurrent layer with gates and a carry.
#pragma once

#include <optional>
#include <string>

#include "core/model/initializers.h"
#include "layers/activations.h"
#include "layers/rnn.h"

namespace strata::layers {

struct LSTMCellOptions {
  strata::Activation activation = "tanh";
  strata::Activation recurrent_activation = "sigmoid";
  bool use_bias = true;
  Initializer kernel_initializer = "glorot_uniform";
  Initializer recurrent_initializer = "orthogonal";
  Initializer bias_initializer = "zeros";
  bool unit_forget_bias = true;
  Regularizer kernel_regularizer = {};
  Regularizer recurrent_regularizer = {};
  Regularizer bias_regularizer = {};
  Constraint kernel_constraint = {};
  Constraint recurrent_constraint = {};
  Constraint bias_constraint = {};
  double dropout = 0.0;
  double recurrent_dropout = 0.0;
  std::optional<std::int64_t> seed = {};
  std::string name = {};
  bool trainable = true;
  std::optional<DtypePolicy> dtype = {};
};

/// One step of a long short-term memory (Hochreiter and Schmidhuber, 1997; the forget gate is that of Gers et al.,
/// 1999). With [i f g o] = x kernel + h recurrent_kernel + bias, s = recurrent_activation and a = activation:
/// c' = s(f) c + s(i) a(g), h' = s(o) a(c').
/// Input (batch, in), states h and c (batch, units); output h'. Weights: kernel (in, 4 units), recurrent_kernel
/// (units, 4 units), bias (4 units,) if use_bias; with unit_forget_bias the part of f begins at 1.
/// Dropout as in SimpleRNNCell; with recurrent_dropout every gate has masks of its own.
/// Throws ConfigError for units < 1, ShapeError when the last dimension of the input is unknown.
class LSTMCell : public LayerRef {
 public:
  explicit LSTMCell(Dim units, const LSTMCellOptions& options = {});
};

struct LSTMOptions {
  strata::Activation activation = "tanh";
  strata::Activation recurrent_activation = "sigmoid";
  bool use_bias = true;
  Initializer kernel_initializer = "glorot_uniform";
  Initializer recurrent_initializer = "orthogonal";
  Initializer bias_initializer = "zeros";
  bool unit_forget_bias = true;
  Regularizer kernel_regularizer = {};
  Regularizer recurrent_regularizer = {};
  Regularizer bias_regularizer = {};
  Regularizer activity_regularizer = {};
  Constraint kernel_constraint = {};
  Constraint recurrent_constraint = {};
  Constraint bias_constraint = {};
  double dropout = 0.0;
  double recurrent_dropout = 0.0;
  std::optional<std::int64_t> seed = {};
  bool return_sequences = false;
  bool return_state = false;
  bool go_backwards = false;
  bool stateful = false;
  bool unroll = false;
  bool zero_output_for_mask = false;
  std::string name = {};
  bool trainable = true;
  std::optional<DtypePolicy> dtype = {};
};

/// Repeats LSTMCell over axis 1 of an input (batch, time, in); see RNN for what the other options do. Output
/// (batch, units), or (batch, time, units) with return_sequences; with return_state also h and c:
/// `auto [y, h, c] = LSTM(32, {.return_state = true}).call<3>({x})`.
class LSTM : public RecurrentRef {
 public:
  explicit LSTM(Dim units, const LSTMOptions& options = {});
};

}  // namespace strata::layers
