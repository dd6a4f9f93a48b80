// SPDX-License-Identifier: Apache-2.0
#include "layers/applications/ends.h"

#include <algorithm>
#include <filesystem>

#include "core/base/error.h"
#include "layers/dense.h"
#include "layers/global_average_pooling2d.h"
#include "layers/global_max_pooling2d.h"

namespace strata::applications {
namespace {

constexpr Dim kDefaultSize = 224;
constexpr Dim kSmallestSize = 32;

void check_weights(const ApplicationOptions& options) {
  if (options.weights.empty()) return;
  std::error_code ignored;
  if (!std::filesystem::exists(options.weights, ignored)) {
    throw ConfigError(
        "The `weights` argument should be either empty (random initialization), or the path to the weights file to be "
        "loaded; nothing is downloaded. Received: weights=" +
        options.weights);
  }
  const Config& activation = options.classifier_activation.config();
  if (options.include_top && activation != Activation("softmax").config() && activation != Activation().config()) {
    throw ConfigError(
        "Only `None` and `softmax` activations are allowed for the `classifier_activation` argument when using "
        "pretrained weights, with `include_top=True`; Received: classifier_activation=" +
        activation.to_json());
  }
}

}  // namespace

void check_options(const ApplicationOptions& options) {
  if (!options.pooling.empty() && options.pooling != "avg" && options.pooling != "max") {
    throw ConfigError("The `pooling` argument should be empty, \"avg\" or \"max\". Received: pooling=" +
                      options.pooling);
  }
  check_weights(options);
}

Tensor image_input(const ApplicationOptions& options) {
  Shape shape = options.input_shape;
  if (shape.rank() == 0) shape = options.include_top ? Shape{kDefaultSize, kDefaultSize, 3} : Shape{None, None, 3};
  if (shape.rank() != 3) {
    throw ConfigError("`input_shape` must be a tuple of three integers. Received: input_shape=" + shape.str());
  }
  const auto too_small = [](Dim size) { return size != None && size < kSmallestSize; };
  if (too_small(shape[0]) || too_small(shape[1])) {
    throw ConfigError("Input size must be at least 32x32; Received: input_shape=" + shape.str());
  }
  if (options.include_top && !shape.is_known()) {
    throw ConfigError("If `include_top` is True, you should specify a static `input_shape`. Received: input_shape=" +
                      shape.str());
  }
  return Input(shape);
}

Tensor pooled(const Tensor& features, const ApplicationOptions& options, const std::string& average_name,
              const std::string& max_name) {
  if (options.pooling == "avg") return layers::GlobalAveragePooling2D({.name = average_name})(features);
  if (options.pooling == "max") return layers::GlobalMaxPooling2D({.name = max_name})(features);
  return features;
}

Tensor predictions(const Tensor& x, const ApplicationOptions& options) {
  return layers::Dense(options.classes, {.activation = options.classifier_activation, .name = "predictions"})(x);
}

Model finished(const Tensor& input, const Tensor& output, const ApplicationOptions& options, const std::string& name) {
  Model model(input, output, options.name.empty() ? name : options.name);
  if (!options.weights.empty()) model.load_weights(options.weights);
  return model;
}

}  // namespace strata::applications
