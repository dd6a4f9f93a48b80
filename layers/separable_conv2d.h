// SPDX-License-Identifier: Apache-2.0
// SeparableConv2D: depthwise convolution over two spatial axes, then one that mixes channels.
#pragma once

#include "layers/separable_convolution.h"

namespace strata::layers {

/// activation(y + bias), y being a depthwise convolution (see DepthwiseConv2D) followed by a convolution with
/// windows of one element. Input (batch, height, width, in), of any dtype (cast to the layer's); output (batch,
/// height', width', filters). With data_format "channels_first" the channels come right after the batch. Weights:
/// depthwise_kernel (kernel_size..., in, depth_multiplier), pointwise_kernel (1..., in * depth_multiplier,
/// filters), bias (filters,) if use_bias. Throws ConfigError for arguments that Keras refuses; when called,
/// ShapeError for an input of another rank or nothing left.
class SeparableConv2D : public LayerRef {
 public:
  SeparableConv2D(Dim filters, const Sizes& kernel_size, const SeparableConvOptions& options = {});
};
using SeparableConvolution2D = SeparableConv2D;

}  // namespace strata::layers
