// SPDX-License-Identifier: Apache-2.0
#include "layers/activation.h"
#include "layers/add.h"
#include "layers/applications/ends.h"
#include "layers/batch_normalization.h"
#include "layers/conv2d.h"
#include "layers/global_average_pooling2d.h"
#include "layers/max_pooling2d.h"
#include "layers/zero_padding2d.h"

namespace strata::applications {
namespace {

Tensor normalized(const Tensor& x, const std::string& name) {
  return layers::BatchNormalization({.axis = 3, .epsilon = 1.001e-5, .name = name})(x);
}

Tensor rectified(const Tensor& x, const std::string& name) { return layers::Activation("relu", {.name = name})(x); }

/// Three convolutions beside a shortcut, which is a convolution itself where the shape changes: in the first block of a
/// stack.
Tensor residual_block(const Tensor& x, Dim filters, Dim stride, bool first, const std::string& name) {
  Tensor shortcut = x;
  if (first) {
    shortcut = layers::Conv2D(4 * filters, 1, {.strides = stride, .name = name + "_0_conv"})(x);
    shortcut = normalized(shortcut, name + "_0_bn");
  }
  Tensor y = layers::Conv2D(filters, 1, {.strides = stride, .name = name + "_1_conv"})(x);
  y = rectified(normalized(y, name + "_1_bn"), name + "_1_relu");
  y = layers::Conv2D(filters, 3, {.padding = "same", .name = name + "_2_conv"})(y);
  y = rectified(normalized(y, name + "_2_bn"), name + "_2_relu");
  y = layers::Conv2D(4 * filters, 1, {.name = name + "_3_conv"})(y);
  y = normalized(y, name + "_3_bn");
  return rectified(layers::Add({.name = name + "_add"})({shortcut, y}), name + "_out");
}

Tensor stack(Tensor x, Dim filters, int blocks, Dim stride, const std::string& name) {
  for (int i = 1; i <= blocks; ++i) {
    x = residual_block(x, filters, i == 1 ? stride : 1, i == 1, name + "_block" + std::to_string(i));
  }
  return x;
}

}  // namespace

Model ResNet50(const ApplicationOptions& options) {
  check_options(options);
  const Tensor input = image_input(options);
  Tensor x = layers::ZeroPadding2D({{3, 3}, {3, 3}}, {.name = "conv1_pad"})(input);
  x = layers::Conv2D(64, 7, {.strides = 2, .name = "conv1_conv"})(x);
  x = rectified(normalized(x, "conv1_bn"), "conv1_relu");
  x = layers::ZeroPadding2D({{1, 1}, {1, 1}}, {.name = "pool1_pad"})(x);
  x = layers::MaxPooling2D(3, {.strides = 2, .name = "pool1_pool"})(x);
  x = stack(x, 64, 3, 1, "conv2");
  x = stack(x, 128, 4, 2, "conv3");
  x = stack(x, 256, 6, 2, "conv4");
  x = stack(x, 512, 3, 2, "conv5");
  if (options.include_top) x = predictions(layers::GlobalAveragePooling2D({.name = "avg_pool"})(x), options);
  else x = pooled(x, options, "avg_pool", "max_pool");
  return finished(input, x, options, "resnet50");
}

}  // namespace strata::applications
