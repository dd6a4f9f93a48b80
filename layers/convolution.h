// SPDX-License-Identifier: Apache-2.0
// The options of Conv1D, Conv2D and Conv3D, and the one implementation behind them.
#pragma once

#include "core/model/layer.h"
#include "layers/activations.h"
#include "layers/registry.h"
#include "layers/sizes.h"

namespace strata {
namespace layers {

struct ConvOptions {
  Sizes strides = 1;
  /// "valid": none; "same": ceil(n / stride) positions, the odd element of padding at the end; "causal" (Conv1D only):
  /// all before, so that no position sees what comes after it.
  std::string padding = "valid";
  std::string data_format = {};  // "channels_last" (also ""), "channels_first"
  Sizes dilation_rate = 1;
  Dim groups = 1;
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

/// A Conv{rank}D. Throws ConfigError for arguments that Keras refuses.
LayerRef make_convolution(int rank, Dim filters, const Sizes& kernel_size, const layers::ConvOptions& options);
/// The registry's entry: Conv{rank}D from its config, with examples.
LayerEntry convolution_entry(int rank);

}  // namespace strata
