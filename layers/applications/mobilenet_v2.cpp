// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include <algorithm>

#include "core/base/error.h"
#include "layers/add.h"
#include "layers/applications/ends.h"
#include "layers/batch_normalization.h"
#include "layers/conv2d.h"
#include "layers/depthwise_conv2d.h"
#include "layers/global_average_pooling2d.h"
#include "layers/relu.h"
#include "layers/zero_padding2d.h"

namespace strata::applications {
namespace {

/// The multiple of 8 nearest to `channels`, at least 8 and not over 10 % below it.
Dim divisible(double channels) {
  const Dim nearest = std::max(Dim{8}, static_cast<Dim>(channels + 4) / 8 * 8);
  return static_cast<double>(nearest) < 0.9 * channels ? nearest + 8 : nearest;
}

Tensor normalized(const Tensor& x, const std::string& name) {
  return layers::BatchNormalization({.momentum = 0.999, .epsilon = 1e-3, .name = name})(x);
}

Tensor rectified(const Tensor& x, const std::string& name) { return layers::ReLU({.max_value = 6.0, .name = name})(x); }

/// A convolution of single positions.
Tensor pointwise(const Tensor& x, Dim filters, const std::string& name) {
  return layers::Conv2D(filters, 1, {.padding = "same", .use_bias = false, .name = name})(x);
}

/// Padding with which a window of 3 and stride 2 covers the image with its last element in its last position.
Tensor padded(const Tensor& x, const std::string& name) {
  const bool known = x.shape()[1] != None && x.shape()[2] != None;
  const auto before = [&](int axis) { return known ? x.shape()[axis] % 2 : 0; };
  return layers::ZeroPadding2D({{before(1), 1}, {before(2), 1}}, {.name = name})(x);
}

struct Block {
  Dim filters;
  Dim stride;
};

/// More channels, a convolution of each on its own, fewer channels.
Tensor inverted_residual(const Tensor& input, const Block& block, int number, double alpha) {
  constexpr Dim kExpansion = 6;
  const std::string prefix = number == 0 ? "expanded_conv_" : fmt::format("block_{}_", number);
  const Dim channels = input.shape().back();
  const Dim filters = divisible(static_cast<double>(static_cast<Dim>(static_cast<double>(block.filters) * alpha)));
  Tensor x = input;
  if (number > 0) {
    x = pointwise(x, kExpansion * channels, prefix + "expand");
    x = rectified(normalized(x, prefix + "expand_BN"), prefix + "expand_relu");
  }
  if (block.stride == 2) x = padded(x, prefix + "pad");
  x = layers::DepthwiseConv2D(3, {.strides = block.stride,
                                  .padding = block.stride == 1 ? "same" : "valid",
                                  .use_bias = false,
                                  .name = prefix + "depthwise"})(x);
  x = rectified(normalized(x, prefix + "depthwise_BN"), prefix + "depthwise_relu");
  x = normalized(pointwise(x, filters, prefix + "project"), prefix + "project_BN");
  if (channels != filters || block.stride != 1) return x;
  return layers::Add({.name = prefix + "add"})({input, x});
}

Tensor features(const Tensor& input, double alpha) {
  constexpr Block kBlocks[] = {{16, 1}, {24, 2}, {24, 1}, {32, 2}, {32, 1},  {32, 1},  {64, 2},  {64, 1}, {64, 1},
                               {64, 1}, {96, 1}, {96, 1}, {96, 1}, {160, 2}, {160, 1}, {160, 1}, {320, 1}};
  Tensor x = layers::Conv2D(divisible(32 * alpha), 3,
                            {.strides = 2, .padding = "same", .use_bias = false, .name = "Conv1"})(input);
  x = rectified(normalized(x, "bn_Conv1"), "Conv1_relu");
  int number = 0;
  for (const Block& block : kBlocks) x = inverted_residual(x, block, number++, alpha);
  // A small model keeps its last layer: see the paper.
  const Dim last = alpha > 1.0 ? divisible(1280 * alpha) : 1280;
  x = layers::Conv2D(last, 1, {.use_bias = false, .name = "Conv_1"})(x);
  return rectified(normalized(x, "Conv_1_bn"), "out_relu");
}

std::string default_name(double alpha, const Shape& input) {
  return fmt::format("mobilenetv2_{:.2f}_{}", alpha, input[1] == None ? "None" : std::to_string(input[1]));
}

}  // namespace

Model MobileNetV2(const MobileNetV2Options& options) {
  if (!(options.alpha > 0.0))
    throw ConfigError(fmt::format("Expected alpha above 0. Received: alpha={}", options.alpha));
  const ApplicationOptions common{options.include_top, options.weights, options.input_shape,
                                  options.pooling,     options.classes, options.classifier_activation,
                                  options.name};
  check_options(common);
  const Tensor input = image_input(common);
  Tensor x = features(input, options.alpha);
  if (options.include_top) x = predictions(layers::GlobalAveragePooling2D()(x), common);
  else x = pooled(x, common);
  return finished(input, x, common, default_name(options.alpha, input.shape()));
}

}  // namespace strata::applications
