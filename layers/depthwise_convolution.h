// SPDX-License-Identifier: Apache-2.0
// The options of DepthwiseConv1D and DepthwiseConv2D, and the one implementation behind them.
#pragma once

#include "core/model/layer.h"
#include "core/ops/window.h"
#include "layers/activations.h"
#include "layers/registry.h"
#include "layers/sizes.h"

namespace strata {
namespace layers {

struct DepthwiseConvOptions {
  Sizes strides = 1;
  std::string padding = "valid";  // "valid", "same"
  Dim depth_multiplier = 1;       // output channels for each input channel
  std::string data_format = {};   // "channels_last" (also ""), "channels_first"
  Sizes dilation_rate = 1;
  strata::Activation activation = {};
  bool use_bias = true;
  Initializer depthwise_initializer = "glorot_uniform";
  Initializer bias_initializer = "zeros";
  Regularizer depthwise_regularizer = {};
  Regularizer bias_regularizer = {};
  Regularizer activity_regularizer = {};
  Constraint depthwise_constraint = {};
  Constraint bias_constraint = {};
  std::string name = {};
  bool trainable = true;
  std::optional<DtypePolicy> dtype = {};
};

}  // namespace layers

/// x (batch, spatial..., channels) with each channel convolved on its own: kernel (size..., channels, multiplier) ->
/// (batch, positions..., channels * multiplier), channel c's results together.
Tensor depthwise_convolution(const Tensor& x, const Tensor& kernel, const Window& window);

/// A DepthwiseConv{rank}D. Throws ConfigError for arguments that Keras refuses.
LayerRef make_depthwise_convolution(int rank, const Sizes& kernel_size, const layers::DepthwiseConvOptions& options);
/// The registry's entry: DepthwiseConv{rank}D from its config, with examples.
LayerEntry depthwise_convolution_entry(int rank);

}  // namespace strata
