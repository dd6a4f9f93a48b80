// SPDX-License-Identifier: Apache-2.0
// Conv3D: convolution over three spatial axes.
#pragma once

#include "layers/convolution.h"

namespace strata::layers {

/// activation(convolution(x, kernel) + bias), see ops::convolution. Input (batch, depth, height, width, in), of any
/// dtype (cast to the layer's); output (batch, depth', height', width', filters). With data_format "channels_first"
/// the channels come right after the batch. Weights: kernel (kernel_size..., in / groups, filters), bias (filters,)
/// if use_bias. Throws ConfigError for arguments that Keras refuses; when called, ShapeError for an input of
/// another rank, channels that groups does not divide, or nothing left.
class Conv3D : public LayerRef {
 public:
  Conv3D(Dim filters, const Sizes& kernel_size, const ConvOptions& options = {});
};
using Convolution3D = Conv3D;

}  // namespace strata::layers
