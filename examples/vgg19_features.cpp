// SPDX-License-Identifier: Apache-2.0
// VGG19 layer by layer, and the features that each of its layers finds in an image. They make a picture with the
// content of one image in the style of another (Gatys et al., 2016), by gradient descent on its pixels.
#include <CLI/CLI.hpp>

#include "common/pictures.h"

using namespace strata;
using applications::vgg19::preprocess_input;

namespace {

/// With the names of Keras, so that its weight files fit.
Model build_vgg19() {
  auto image = Input({224, 224, 3});
  auto x = image;
  int block = 0;
  for (const auto& [filters, convolutions] : {std::pair{64, 2}, {128, 2}, {256, 4}, {512, 4}, {512, 4}}) {
    const std::string name = "block" + std::to_string(++block);
    for (int i = 1; i <= convolutions; ++i) {
      // He's initial values keep the size of features from layer to layer: so random layers see something, too.
      x = layers::Conv2D(filters, 3,
                         {.padding = "same",
                          .activation = "relu",
                          .kernel_initializer = "he_uniform",
                          .name = name + "_conv" + std::to_string(i)})(x);
    }
    x = layers::MaxPooling2D(2, {.name = name + "_pool"})(x);
  }
  x = layers::Flatten({.name = "flatten"})(x);
  x = layers::Dense(4096, {.activation = "relu", .name = "fc1"})(x);
  x = layers::Dense(4096, {.activation = "relu", .name = "fc2"})(x);
  return Model(image, layers::Dense(1000, {.activation = "softmax", .name = "predictions"})(x), "vgg19");
}

/// A model whose outputs are those of all layers.
void print_features(const Model& vgg19, const examples::Example& example) {
  std::vector<Tensor> features_list;
  for (const LayerRef& layer : vgg19.layers()) features_list.push_back(layer.output());
  Model feat_extraction_model({vgg19.input()}, features_list);
  const auto image = ops::random_uniform(examples::random_key(), {1, 224, 224, 3}, 0, 255);
  const auto features = feat_extraction_model.call({preprocess_input(image)});
  for (std::size_t i = 0; i < features.size(); ++i) {
    const auto mean = ops::mean(features[i]).item<float>();
    example.print(vgg19.layers()[i].name() + " " + features[i].shape().str() + ", mean " + std::to_string(mean));
  }
}

/// The same layers, called on images of any size. Style is what the first of each block see, content what the last
/// does.
Model build_extractor(const Model& vgg19) {
  auto image = Input({None, None, 3});
  auto x = image;
  std::vector<Tensor> features;
  for (int i = 1; vgg19.get_layer(i - 1).name() != "block5_conv2"; ++i) {
    x = vgg19.get_layer(i)(x);
    if (vgg19.get_layer(i).name().ends_with("_conv1")) features.push_back(x);
  }
  features.push_back(x);
  return Model({image}, features);
}

/// How strongly any two features occur together.
Tensor gram(const Tensor& features) {
  const Tensor rows = ops::reshape(features, {None, features.shape().back()});
  return ops::matmul(rows, rows, true) / static_cast<double>(rows.shape()[0]);
}

/// 1 when x is 0: all layers count alike, whatever the size of their features.
Tensor distance(const Tensor& x, const Tensor& wanted) {
  return ops::sum(ops::square(x - wanted)) / ops::sum(ops::square(wanted));
}

/// Gradient descent on the pixels of a picture, in a training loop of its own.
void transfer_style(const Model& vgg19, const examples::PictureOptions& pictures, const examples::Example& example) {
  const Tensor content = pictures.content_picture(), style = pictures.style_picture();
  const Model extractor = build_extractor(vgg19);
  const auto wanted_content = extractor.call({preprocess_input(content)}).back();
  auto wanted_style = extractor.call({preprocess_input(style)});
  for (Tensor& features : wanted_style) features = gram(features);

  auto picture = make_model<examples::Picture>(content);
  const auto loss_function = [&] {
    const auto features = extractor.call({preprocess_input(picture->pixels())});
    auto loss = 1e-2 * distance(features.back(), wanted_content) + 1e-5 * examples::variation(picture->pixels());
    for (std::size_t i = 0; i + 1 < features.size(); ++i) loss = loss + distance(gram(features[i]), wanted_style[i]);
    return loss;
  };
  Optimizer optimizer = example.optimizer();
  optimizer.set_learning_rate(8);  // of 255 levels
  const History history = example.loop(10, 10, [&](Dim step) {
    const auto [loss, gradients] = value_and_gradients(picture, loss_function);
    optimizer.apply_gradients(gradients, picture);
    if (step % 10 == 0) examples::save_picture(pictures.output, picture->pixels());
    return loss;
  });
  examples::save_picture(pictures.output, picture->pixels());
  example.report(picture, history);
}

}  // namespace

int main(int argc, char** argv) {
  std::string weights;
  examples::PictureOptions pictures;
  const auto own_options = [&](CLI::App& app) {
    app.add_option("--weights", weights, "Keras' weights of VGG19 (.h5); without them random ones");
    pictures.add_to(app);
  };
  return examples::run(argc, argv, "Finds features with VGG19, and paints a picture in a style. An epoch has 10 steps.",
                       {.needs_data = false, .epochs = 10, .optimizer = "adam", .own_options = own_options},
                       [&](auto& example) {
                         Model vgg19 = build_vgg19();
                         example.summarize(vgg19);
                         if (example.summary_only()) return;
                         if (!weights.empty()) vgg19.load_weights(weights);
                         print_features(vgg19, example);
                         transfer_style(vgg19, pictures, example);
                       });
}
