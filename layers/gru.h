// SPDX-License-Identifier: Apache-2.0
// GRU: a recurrent layer with two gates and no carry.
#pragma once

#include <optional>
#include <string>

#include "core/model/initializers.h"
#include "layers/activations.h"
#include "layers/rnn.h"

namespace strata::layers {

struct GRUCellOptions {
  strata::Activation activation = "tanh";
  strata::Activation recurrent_activation = "sigmoid";
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
  bool reset_after = true;
  std::optional<std::int64_t> seed = {};
  std::string name = {};
  bool trainable = true;
  std::optional<DtypePolicy> dtype = {};
};

/// One step of a gated recurrent unit (Cho et al., 2014). With s = recurrent_activation, a = activation and kernels and
/// bias in three parts z, r, h: z = s(x Kz + h Rz + bz), r = s(x Kr + h Rr + br), and
/// reset_after: g = a(x Kh + bh + r (h Rh + bh2)); otherwise g = a(x Kh + (r h) Rh + bh); h' = z h + (1 - z) g.
/// Input (batch, in), state h (batch, units); output h'. Weights: kernel (in, 3 units), recurrent_kernel
/// (units, 3 units), bias (2, 3 units) with reset_after - row 0 is added to the input's product, row 1 to the state's -
/// and (3 units,) otherwise, if use_bias. Dropout as in LSTMCell.
/// Throws ConfigError for units < 1, ShapeError when the last dimension of the input is unknown.
class GRUCell : public LayerRef {
 public:
  explicit GRUCell(Dim units, const GRUCellOptions& options = {});
};

struct GRUOptions {
  strata::Activation activation = "tanh";
  strata::Activation recurrent_activation = "sigmoid";
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
  std::optional<std::int64_t> seed = {};
  bool return_sequences = false;
  bool return_state = false;
  bool go_backwards = false;
  bool stateful = false;
  bool unroll = false;
  bool reset_after = true;
  bool zero_output_for_mask = false;
  std::string name = {};
  bool trainable = true;
  std::optional<DtypePolicy> dtype = {};
};

/// Repeats GRUCell over axis 1 of an input (batch, time, in); see RNN for what the other options do. Output
/// (batch, units), or (batch, time, units) with return_sequences; with return_state also h.
class GRU : public RecurrentRef {
 public:
  explicit GRU(Dim units, const GRUOptions& options = {});
};

}  // namespace strata::layers
