// SPDX-License-Identifier: Apache-2.0
// Conv2DTranspose: transposed convolution over two spatial axes.
#pragma once

#include "layers/transposed_convolution.h"

namespace strata::layers {

/// activation(y + bias), y being the gradient that the convolution with this kernel has in its input
/// (ops::convolution_backward_data) for x as the gradient of its output. Input (batch, height, width, in), of any
/// dtype (cast to the layer's); output (batch, height', width', filters), see ConvTransposeOptions::output_padding
/// for its sizes. With data_format "channels_first" the channels come right after the batch. Weights: kernel
/// (kernel_size..., filters, in), bias (filters,) if use_bias. Throws ConfigError for arguments that Keras refuses;
/// when called, ShapeError for an input of another rank.
class Conv2DTranspose : public LayerRef {
 public:
  Conv2DTranspose(Dim filters, const Sizes& kernel_size, const ConvTransposeOptions& options = {});
};
using Convolution2DTranspose = Conv2DTranspose;

}  // namespace strata::layers
