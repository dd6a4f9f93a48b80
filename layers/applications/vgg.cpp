// SPDX-License-Identifier: Apache-2.0
#include "layers/applications/ends.h"
#include "layers/conv2d.h"
#include "layers/dense.h"
#include "layers/flatten.h"
#include "layers/max_pooling2d.h"

namespace strata::applications {
namespace {

struct Block {
  Dim filters;
  int convolutions;
};

/// Convolutions that keep the size, then a pooling that halves it.
Tensor block(const Block& block, const std::string& name, Tensor x) {
  for (int i = 1; i <= block.convolutions; ++i) {
    x = layers::Conv2D(block.filters, {3, 3},
                       {.padding = "same", .activation = "relu", .name = name + "_conv" + std::to_string(i)})(x);
  }
  return layers::MaxPooling2D({2, 2}, {.strides = {2, 2}, .name = name + "_pool"})(x);
}

Tensor classified(const Tensor& features, const ApplicationOptions& options) {
  Tensor x = layers::Flatten({.name = "flatten"})(features);
  x = layers::Dense(4096, {.activation = "relu", .name = "fc1"})(x);
  x = layers::Dense(4096, {.activation = "relu", .name = "fc2"})(x);
  return predictions(x, options);
}

Model vgg(const std::vector<Block>& blocks, const ApplicationOptions& options, const std::string& name) {
  check_options(options);
  const Tensor input = image_input(options);
  Tensor x = input;
  for (std::size_t i = 0; i < blocks.size(); ++i) x = block(blocks[i], "block" + std::to_string(i + 1), x);
  x = options.include_top ? classified(x, options) : pooled(x, options);
  return finished(input, x, options, name);
}

}  // namespace

Model VGG16(const ApplicationOptions& options) {
  return vgg({{64, 2}, {128, 2}, {256, 3}, {512, 3}, {512, 3}}, options, "vgg16");
}

Model VGG19(const ApplicationOptions& options) {
  return vgg({{64, 2}, {128, 2}, {256, 4}, {512, 4}, {512, 4}}, options, "vgg19");
}

}  // namespace strata::applications
