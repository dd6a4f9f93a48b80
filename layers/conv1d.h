// SPDX-License-Identifier: Apache-2.0
// Conv1D: convolution over one spatial axis.
#pragma once

#include "layers/convolution.h"

namespace strata::layers {

/// activation(convolution(x, kernel) + bias), see ops::convolution. Input (batch, steps, in), of any dtype (cast to
/// the layer's); output (batch, steps', filters). With data_format "channels_first" the channels come right after
/// the batch. Weights: kernel (kernel_size..., in / groups, filters), bias (filters,) if use_bias. Throws
/// ConfigError for arguments that Keras refuses; when called, ShapeError for an input of another rank, channels
/// that groups does not divide, or nothing left.
class Conv1D : public LayerRef {
 public:
  Conv1D(Dim filters, const Sizes& kernel_size, const ConvOptions& options = {});
};
using Convolution1D = Conv1D;

}  // namespace strata::layers
