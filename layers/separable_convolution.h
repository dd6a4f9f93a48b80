// SPDX-License-Identifier: Apache-2.0
// The options of SeparableConv1D and SeparableConv2D, and the one implementation behind them.
#pragma once

#include "core/model/layer.h"
#include "layers/activations.h"
#include "layers/registry.h"
#include "layers/sizes.h"

namespace strata {
namespace layers {

struct SeparableConvOptions {
  Sizes strides = 1;
  std::string padding = "valid";  // "valid", "same"
  std::string data_format = {};   // "channels_last" (also ""), "channels_first"
  Sizes dilation_rate = 1;
  Dim depth_multiplier = 1;  // channels between the two convolutions for each input channel
  strata::Activation activation = {};
  bool use_bias = true;
  Initializer depthwise_initializer = "glorot_uniform";
  Initializer pointwise_initializer = "glorot_uniform";
  Initializer bias_initializer = "zeros";
  Regularizer depthwise_regularizer = {};
  Regularizer pointwise_regularizer = {};
  Regularizer bias_regularizer = {};
  Regularizer activity_regularizer = {};
  Constraint depthwise_constraint = {};
  Constraint pointwise_constraint = {};
  Constraint bias_constraint = {};
  std::string name = {};
  bool trainable = true;
  std::optional<DtypePolicy> dtype = {};
};

}  // namespace layers

/// A SeparableConv{rank}D. Throws ConfigError for arguments that Keras refuses.
LayerRef make_separable_convolution(int rank, Dim filters, const Sizes& kernel_size,
                                    const layers::SeparableConvOptions& options);
/// The registry's entry: SeparableConv{rank}D from its config, with examples.
LayerEntry separable_convolution_entry(int rank);

}  // namespace strata
