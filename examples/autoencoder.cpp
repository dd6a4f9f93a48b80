// SPDX-License-Identifier: Apache-2.0
// The guide's autoencoders. First one graph of layers on which two models lie: calling nothing twice, the encoder is a
// part of the autoencoder. Then a model made of models. The second is trained to give MNIST images back.
#include "common/mnist.h"

using namespace strata;

namespace {

Tensor encode(const Tensor& image) {
  auto x = layers::Conv2D(16, 3, {.activation = "relu"})(image);
  x = layers::Conv2D(32, 3, {.activation = "relu"})(x);
  x = layers::MaxPooling2D(3)(x);
  x = layers::Conv2D(32, 3, {.activation = "relu"})(x);
  x = layers::Conv2D(16, 3, {.activation = "relu"})(x);
  return layers::GlobalMaxPooling2D()(x);
}

Tensor decode(const Tensor& code) {
  auto x = layers::Reshape({4, 4, 1})(code);
  x = layers::Conv2DTranspose(16, 3, {.activation = "relu"})(x);
  x = layers::Conv2DTranspose(32, 3, {.activation = "relu"})(x);
  x = layers::UpSampling2D(3)(x);
  x = layers::Conv2DTranspose(16, 3, {.activation = "relu"})(x);
  return layers::Conv2DTranspose(1, 3, {.activation = "relu"})(x);
}

/// Two models on one graph of layers.
void show_shared_graph(examples::Example& example) {
  auto encoder_input = Input({28, 28, 1}, {.name = "img"});
  auto encoder_output = encode(encoder_input);
  example.summarize(Model(encoder_input, encoder_output, "encoder"));
  example.summarize(Model(encoder_input, decode(encoder_output), "autoencoder"));
}

/// Models are called like layers.
Model nested_autoencoder(examples::Example& example) {
  auto encoder_input = Input({28, 28, 1}, {.name = "original_img"});
  Model encoder(encoder_input, encode(encoder_input), "encoder");
  example.summarize(encoder);

  auto decoder_input = Input({16}, {.name = "encoded_img"});
  Model decoder(decoder_input, decode(decoder_input), "decoder");
  example.summarize(decoder);

  auto autoencoder_input = Input({28, 28, 1}, {.name = "img"});
  auto encoded_img = encoder(autoencoder_input);
  auto decoded_img = decoder(encoded_img);
  Model autoencoder(autoencoder_input, decoded_img, "autoencoder");
  example.summarize(autoencoder);
  return autoencoder;
}

}  // namespace

int main(int argc, char** argv) {
  return examples::run(
      argc, argv, "Trains the guide's autoencoder on MNIST files.", {.epochs = 1, .optimizer = "adam"},
      [](auto& example) {
        show_shared_graph(example);
        Model autoencoder = nested_autoencoder(example);
        if (example.summary_only()) return;
        const auto data = examples::load_mnist(example, {28, 28, 1});
        autoencoder.compile(
            {.optimizer = example.optimizer(), .loss = "mse", .shard_optimizer = example.options().shard_optimizer});
        const auto history = autoencoder.fit(data.x_train, data.x_train, example.fit_options());
        const auto scores = autoencoder.evaluate(data.x_test, data.x_test, example.evaluate_options(2));
        example.report(autoencoder, history, {{"test_loss", scores[0]}});
      });
}
