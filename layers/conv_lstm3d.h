// SPDX-License-Identifier: Apache-2.0
// ConvLSTM3D: an LSTM whose products are convolutions over three spatial axes.
#pragma once

#include "layers/conv_lstm.h"

namespace strata::layers {

/// LSTM with convolutions in place of matrix products (Shi et al., 2015): that of the input with strides, padding and
/// dilation_rate, that of the state with stride 1 and padding "same". Input (batch, time, depth, height, width, in),
/// states and output (batch, depth', height', width', filters), or (batch, time, depth', height', width', filters) with
/// return_sequences; with data_format "channels_first" the channels come before the spatial axes. Weights: kernel
/// (kernel_size..., in, 4 filters), recurrent_kernel (kernel_size..., filters, 4 filters), bias (4 filters,) if
/// use_bias. Every gate has dropout masks of its own. Masks, initial states and the options of all recurrent layers:
/// see RNN. Throws ConfigError for arguments that Keras refuses; when called, ShapeError unless all but batch and time
/// is known.
class ConvLSTM3D : public RecurrentRef {
 public:
  ConvLSTM3D(Dim filters, const Sizes& kernel_size, const ConvLSTMOptions& options = {});
};

}  // namespace strata::layers
