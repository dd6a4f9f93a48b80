// SPDX-License-Identifier: Apache-2.0
// DepthwiseConv2D: convolution over two spatial axes, each channel on its own.
#pragma once

#include "layers/depthwise_convolution.h"

namespace strata::layers {

/// activation(y + bias), where y's channels c * depth_multiplier + j are convolutions of channel c of x alone.
/// Input (batch, height, width, in), of any dtype (cast to the layer's); output (batch, height', width', in *
/// depth_multiplier). With data_format "channels_first" the channels come right after the batch. Weights: kernel
/// (kernel_size..., in, depth_multiplier), bias (in * depth_multiplier,) if use_bias. Throws ConfigError for
/// arguments that Keras refuses; when called, ShapeError for an input of another rank or nothing left.
class DepthwiseConv2D : public LayerRef {
 public:
  explicit DepthwiseConv2D(const Sizes& kernel_size, const DepthwiseConvOptions& options = {});
};

}  // namespace strata::layers
