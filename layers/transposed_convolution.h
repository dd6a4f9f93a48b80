// SPDX-License-Identifier: Apache-2.0
// The options of Conv1DTranspose, Conv2DTranspose and Conv3DTranspose, and the one implementation behind them.
#pragma once

#include "core/model/layer.h"
#include "layers/activations.h"
#include "layers/registry.h"
#include "layers/sizes.h"

namespace strata {
namespace layers {

struct ConvTransposeOptions {
  Sizes strides = 1;
  std::string padding = "valid";  // "valid", "same"
  /// How much longer each axis is than (n - 1) stride + k ("valid") or (n - 1) stride + k mod 2 ("same"), where
  /// k = (kernel_size - 1) dilation_rate + 1; less than the stride. {}: n stride + max(k - stride, 0), or n stride.
  Sizes output_padding = {};
  std::string data_format = {};  // "channels_last" (also ""), "channels_first"
  Sizes dilation_rate = 1;
  strata::Activation activation = {};
  bool use_bias = true;
  Initializer kernel_initializer = "glorot_uniform";
  Initializer bias_initializer = "zeros";
  Regularizer kernel_regularizer = {};
  Regularizer bias_regularizer = {};
  Regularizer activity_regularizer = {};
  Constraint kernel_constraint = {};
  Constraint bias_constraint = {};
  std::string name = {};
  bool trainable = true;
  std::optional<DtypePolicy> dtype = {};
};

}  // namespace layers

/// A Conv{rank}DTranspose. Throws ConfigError for arguments that Keras refuses.
LayerRef make_transposed_convolution(int rank, Dim filters, const Sizes& kernel_size,
                                     const layers::ConvTransposeOptions& options);
/// The registry's entry: Conv{rank}DTranspose from its config, with examples.
LayerEntry transposed_convolution_entry(int rank);

}  // namespace strata
