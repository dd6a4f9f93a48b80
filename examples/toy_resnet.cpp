// SPDX-License-Identifier: Apache-2.0
// The guide's small ResNet: two blocks whose outputs are added to their inputs, so that the graph is not a chain. It is
// trained on CIFAR-10 in its binary format, the directory with data_batch_1.bin to data_batch_5.bin and test_batch.bin.
// Alone: toy_resnet --data DIR. On four ranks: mpirun -np 4 toy_resnet --data DIR.
#include "common/example.h"

using namespace strata;

namespace {

constexpr Dim kClasses = 10;

// The names are those that the layers get in the guide, after all the models before this one.
Model toy_resnet() {
  auto inputs = Input({32, 32, 3}, {.name = "img"});
  auto x = layers::Conv2D(32, 3, {.activation = "relu", .name = "conv2d_8"})(inputs);
  x = layers::Conv2D(64, 3, {.activation = "relu", .name = "conv2d_9"})(x);
  auto block_1_output = layers::MaxPooling2D(3, {.name = "max_pooling2d_2"})(x);

  x = layers::Conv2D(64, 3, {.padding = "same", .activation = "relu", .name = "conv2d_10"})(block_1_output);
  x = layers::Conv2D(64, 3, {.padding = "same", .activation = "relu", .name = "conv2d_11"})(x);
  auto block_2_output = layers::add({x, block_1_output});

  x = layers::Conv2D(64, 3, {.padding = "same", .activation = "relu", .name = "conv2d_12"})(block_2_output);
  x = layers::Conv2D(64, 3, {.padding = "same", .activation = "relu", .name = "conv2d_13"})(x);
  auto block_3_output = layers::add({x, block_2_output});

  x = layers::Conv2D(64, 3, {.activation = "relu", .name = "conv2d_14"})(block_3_output);
  x = layers::GlobalAveragePooling2D()(x);
  x = layers::Dense(256, {.activation = "relu", .name = "dense_6"})(x);
  x = layers::Dropout(0.5)(x);
  auto outputs = layers::Dense(kClasses, {.name = "dense_7"})(x);
  return {inputs, outputs, "toy_resnet"};
}

/// Numbers from 0 to 1.
Tensor scaled(const Tensor& images) { return ops::cast(images, Dtype::float32) / 255.0; }

}  // namespace

int main(int argc, char** argv) {
  return examples::run(argc, argv, "Trains the guide's toy_resnet on CIFAR-10's binary files.", {.epochs = 1},
                       [](auto& example) {
                         Model model = toy_resnet();
                         example.summarize(model);
                         if (example.summary_only()) return;

                         auto data = example.load([&] { return datasets::cifar10::load_data(example.options().data); });
                         auto y_train = to_categorical(data.y_train, kClasses);
                         auto y_test = to_categorical(data.y_test, kClasses);

                         model.compile({.optimizer = example.optimizer(),
                                        .loss = losses::CategoricalCrossentropy({.from_logits = true}),
                                        .metrics = {"acc"},
                                        .shard_optimizer = example.options().shard_optimizer});
                         auto fit = example.fit_options();
                         fit.validation_split = 0.2;
                         const auto history = model.fit(scaled(data.x_train), y_train, fit);
                         const auto scores = model.evaluate(scaled(data.x_test), y_test, example.evaluate_options(2));
                         example.report(model, history, {{"test_loss", scores[0]}, {"test_acc", scores[1]}});
                       });
}
