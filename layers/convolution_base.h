// SPDX-License-Identifier: Apache-2.0
// What all layers that convolve have in common.
#pragma once

#include "core/model/layer.h"
#include "layers/activations.h"
#include "layers/layer_config.h"
#include "layers/sizes.h"
#include "layers/spatial.h"

namespace strata {

/// The arguments that all of them take, out of their options.
struct ConvolutionArguments {
  int rank;  // spatial axes
  std::vector<Dim> kernel_size, strides, dilation_rate;
  std::string padding;
  DataFormat data_format;
  Activation activation;
  bool use_bias;
  WeightOptions bias;
  LayerOptions layer;
};

/// Throws ConfigError for sizes that are no tuples of positive numbers, an unknown padding or data format.
template <class Options>
ConvolutionArguments convolution_arguments(int rank, const Sizes& kernel_size, const Options& options,
                                           bool allow_causal = false) {
  return {.rank = rank,
          .kernel_size = kernel_size.expanded(rank, "kernel_size"),
          .strides = options.strides.expanded(rank, "strides"),
          .dilation_rate = options.dilation_rate.expanded(rank, "dilation_rate"),
          .padding = padding_mode(options.padding, allow_causal),
          .data_format = DataFormat(options.data_format),
          .activation = options.activation,
          .use_bias = options.use_bias,
          .bias = {.initializer = options.bias_initializer,
                   .regularizer = options.bias_regularizer,
                   .constraint = options.bias_constraint},
          .layer = {options.name, options.trainable, options.dtype, options.activity_regularizer}};
}

/// The options that all of them take, from a config.
template <class Options>
Options convolution_options(const LayerConfig& arguments) {
  Options options;
  if (arguments.has("strides")) options.strides = Sizes::from_config(arguments.get("strides"));
  options.padding = arguments.text("padding", "valid");
  options.data_format = arguments.text("data_format", "");
  if (arguments.has("dilation_rate")) options.dilation_rate = Sizes::from_config(arguments.get("dilation_rate"));
  options.activation = Activation::from_config(arguments.get("activation"));
  options.use_bias = arguments.flag("use_bias", true);
  options.bias_initializer = arguments.initializer("bias_initializer", "zeros");
  options.bias_regularizer = arguments.regularizer("bias_regularizer");
  options.activity_regularizer = arguments.regularizer("activity_regularizer");
  options.bias_constraint = arguments.constraint("bias_constraint");
  const LayerOptions common = arguments.options();
  options.name = common.name;
  options.trainable = common.trainable;
  options.dtype = common.dtype;
  return options;
}

/// Base of the layers: checks, the bias, the activation and the order of axes. A derived layer gives the product.
class ConvolutionBase : public Layer {
 public:
  /// `kind` is the class name without rank: "Conv{}D", "Conv{}DTranspose".
  ConvolutionBase(const std::string& kind, ConvolutionArguments arguments);

  std::string class_name() const override { return class_name_; }
  void build(const Shape& input) override;
  Tensor call(const Tensor& input, CallContext&) override;
  Config config() const final;

 protected:
  /// Throws ShapeError, as Keras says it, when the layer cannot take this input; before build and before every call.
  /// Here: another rank, or windows that have no position.
  virtual void check_input(const Shape& input) const;
  /// How many channels come out for so many input channels (None = unknown).
  virtual Dim filters(Dim channels) const = 0;
  /// Creates the kernels for `channels` input channels.
  virtual void build_kernels(Dim channels) = 0;
  /// The product of channels-last x.
  virtual Tensor product(const Tensor& x) const = 0;
  /// The arguments that only this layer has. config() puts all into Keras' order.
  virtual Config own_config() const = 0;

  const ConvolutionArguments& arguments() const { return arguments_; }
  /// The windows over the spatial axes of channels-last x.
  Window window(const Tensor& x) const;
  /// kernel_size followed by the two.
  Shape kernel_shape(Dim before_last, Dim last) const;
  /// The part of check_input() for another rank.
  void check_rank(const Shape& input) const;
  /// None = unknown.
  Dim channels_of(const Shape& input) const { return input[arguments_.data_format.channel_axis(input.rank())]; }
  /// Throws ConfigError: most of these layers do not let a stride and a dilation rate above 1 meet.
  void refuse_strides_with_dilation() const;

 private:
  std::string class_name_;
  ConvolutionArguments arguments_;
  Variable bias_;
};

/// Throws ConfigError "Invalid value for argument `filters`. ..." unless positive.
void check_filters(Dim filters);
/// The same of `depth_multiplier`.
void check_depth_multiplier(Dim depth_multiplier);
/// The names that convolution_options() reads, those of each weight, and `own`.
std::vector<std::string> convolution_argument_names(const std::vector<std::string>& weights,
                                                    std::vector<std::string> own);
/// Throws ConfigError unless the argument is absent or 1: TF 2 writes `groups` for layers that have no groups.
void expect_one_group(const LayerConfig& arguments);

}  // namespace strata
