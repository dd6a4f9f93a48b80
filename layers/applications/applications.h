// SPDX-License-Identifier: Apache-2.0
// Known image models, as keras.applications has them: equal layers under equal names in equal order, so that Keras'
// weight files fit.
#pragma once

#include <string>

#include "core/training/model.h"
#include "layers/activations.h"

namespace strata::applications {

struct ApplicationOptions {
  bool include_top = true;   // the layers that classify
  std::string weights = {};  // a file of weights in Keras' HDF5 layout, see Model::load_weights; "" = random ones
  /// Of one image: (height, width, channels), none below 32. {} = (224, 224, 3) with the top, else (None, None, 3).
  Shape input_shape = {};
  std::string pooling =
      {};              // without the top: "" = the last features (batch, height, width, n); "avg", "max": (batch, n)
  Dim classes = 1000;  // of the top, as is:
  strata::Activation classifier_activation = "softmax";  // nullptr = logits
  std::string name = {};                                 // "" = "vgg16", "vgg19", "resnet50"
};

struct MobileNetV2Options {
  Shape input_shape = {};
  double alpha = 1.0;  // multiplies the channels of each layer but the last
  bool include_top = true;
  std::string weights = {};
  std::string pooling = {};
  Dim classes = 1000;
  strata::Activation classifier_activation = "softmax";
  std::string name = {};  // "" = "mobilenetv2_1.00_224": alpha and height
};

// Input (batch, height, width, channels), as the model's own preprocess_input makes it; output (batch, classes), or the
// features that `pooling` says. Each throws ConfigError, in Keras' words, for options that do not fit each other, and
// IoError for weights that cannot be read or are those of another model. Nothing is downloaded.

/// Simonyan and Zisserman, 2015: 16 layers with weights.
Model VGG16(const ApplicationOptions& options = {});
/// 19 layers with weights.
Model VGG19(const ApplicationOptions& options = {});
/// He et al., 2016: 50 layers with weights, with the stride of a block in its first convolution.
Model ResNet50(const ApplicationOptions& options = {});
/// Sandler et al., 2018.
Model MobileNetV2(const MobileNetV2Options& options = {});

// What the models were trained on: images (..., height, width, 3) with channels R, G, B from 0 to 255, of rank 3 or 4;
// with data_format "channels_first" (..., 3, height, width). Integers become float32. The result has the shape of x.
// Throws ShapeError for another rank or number of channels, ConfigError for another data_format.
namespace vgg16 {
/// B, G, R, each less its mean over ImageNet.
Tensor preprocess_input(const Tensor& x, const std::string& data_format = "");
}  // namespace vgg16
namespace vgg19 {
using vgg16::preprocess_input;
}
namespace resnet50 {
using vgg16::preprocess_input;
}
namespace mobilenet_v2 {
/// From -1 to 1.
Tensor preprocess_input(const Tensor& x, const std::string& data_format = "");
}  // namespace mobilenet_v2

}  // namespace strata::applications
