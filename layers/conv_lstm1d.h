// SPDX-License-Identifier: Apache-2.0
// ConvLSTM1D: an LSTM whose products are convolutions over one spatial axis.
#pragma once

#include "layers/conv_lstm.h"

namespace strata::layers {

/// LSTM with convolutions in place of matrix products (Shi et al., 2015): that of the input with strides, padding and
/// dilation_rate, that of the state with stride 1 and padding "same". Input (batch, time, steps, in), states and
/// output (batch, steps', filters), or (batch, time, steps', filters) with return_sequences; with data_format
/// "channels_first" the channels come before the spatial axes. Weights: kernel (kernel_size..., in, 4 filters),
/// recurrent_kernel (kernel_size..., filters, 4 filters), bias (4 filters,) if use_bias. Every gate has dropout masks
/// of its own. Masks, initial states and the options of all recurrent layers: see RNN.
/// Throws ConfigError for arguments that Keras refuses; when called, ShapeError unless all but batch and time is known.
class ConvLSTM1D : public RecurrentRef {
 public:
  ConvLSTM1D(Dim filters, const Sizes& kernel_size, const ConvLSTMOptions& options = {});
};

}  // namespace strata::layers
