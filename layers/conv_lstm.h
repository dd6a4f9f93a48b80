// SPDX-License-Identifier: Apache-2.0
// The options of ConvLSTM1D, ConvLSTM2D and ConvLSTM3D, and the one implementation behind them.
#pragma once

#include "core/model/initializers.h"
#include "layers/activations.h"
#include "layers/registry.h"
#include "layers/rnn.h"
#include "layers/sizes.h"

namespace strata {
namespace layers {

struct ConvLSTMOptions {
  Sizes strides = 1;
  std::string padding = "valid";  // or "same"
  std::string data_format = {};   // "channels_last" (also ""), "channels_first"
  Sizes dilation_rate = 1;
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

}  // namespace layers

/// A ConvLSTM{rank}D. Throws ConfigError for arguments that Keras refuses.
std::shared_ptr<Layer> make_conv_lstm(int rank, Dim filters, const Sizes& kernel_size,
                                      const layers::ConvLSTMOptions& options);
/// The registry's entry: ConvLSTM{rank}D from its config, with examples.
LayerEntry conv_lstm_entry(int rank);

}  // namespace strata
