// SPDX-License-Identifier: Apache-2.0
// SimpleRNN: a recurrent layer whose output is its state.
#pragma once

#include <optional>
#include <string>

#include "core/model/initializers.h"
#include "layers/activations.h"
#include "layers/rnn.h"

namespace strata::layers {

struct SimpleRNNCellOptions {
  strata::Activation activation = "tanh";
  bool use_bias = true;
  Initializer kernel_initializer = "glorot_uniform";
  Initializer recurrent_initializer = "orthogonal";
  Initializer bias_initializer = "zeros";
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

/// One step of a fully connected recurrence: h' = activation(x kernel + bias + h recurrent_kernel).
/// Input (batch, in), state h (batch, units); output h'. Weights: kernel (in, units), recurrent_kernel (units, units),
/// bias (units,) if use_bias. dropout and recurrent_dropout are rates at which elements of x and h are dropped in
/// training, by one mask for all steps of a sequence.
/// Throws ConfigError for units < 1, ShapeError when the last dimension of the input is unknown.
class SimpleRNNCell : public LayerRef {
 public:
  explicit SimpleRNNCell(Dim units, const SimpleRNNCellOptions& options = {});
};

struct SimpleRNNOptions {
  strata::Activation activation = "tanh";
  bool use_bias = true;
  Initializer kernel_initializer = "glorot_uniform";
  Initializer recurrent_initializer = "orthogonal";
  Initializer bias_initializer = "zeros";
  Regularizer kernel_regularizer = {};
  Regularizer recurrent_regularizer = {};
  Regularizer bias_regularizer = {};
  Regularizer activity_regularizer = {};
  Constraint kernel_constraint = {};
  Constraint recurrent_constraint = {};
  Constraint bias_constraint = {};
  double dropout = 0.0;
  double recurrent_dropout = 0.0;
  bool return_sequences = false;
  bool return_state = false;
  bool go_backwards = false;
  bool stateful = false;
  bool unroll = false;
  std::optional<std::int64_t> seed = {};
  bool zero_output_for_mask = false;
  std::string name = {};
  bool trainable = true;
  std::optional<DtypePolicy> dtype = {};
};

/// Repeats SimpleRNNCell over axis 1 of an input (batch, time, in); see RNN for what the other options do. Output
/// (batch, units), or (batch, time, units) with return_sequences; with return_state also h.
class SimpleRNN : public RecurrentRef {
 public:
  explicit SimpleRNN(Dim units, const SimpleRNNOptions& options = {});
};

}  // namespace strata::layers
