// SPDX-License-Identifier: Apache-2.0
// LeNet (Y. LeCun et al., Gradient-based learning applied to document recognition, 1998) as it is mostly trained today:
// relu, maxima, and more filters than the paper's.
// Alone: lenet --data DIR. On four ranks: mpirun -np 4 lenet --data DIR.
#include "common/mnist.h"

using namespace strata;

int main(int argc, char** argv) {
  return examples::run(argc, argv, "Trains LeNet on MNIST files.", {.epochs = 3, .optimizer = "adam"},
                       [](auto& example) {
                         auto inputs = Input({28, 28, 1});
                         auto x = layers::Conv2D(20, 5, {.activation = "relu"})(inputs);
                         x = layers::MaxPooling2D(2)(x);
                         x = layers::Conv2D(50, 5, {.activation = "relu"})(x);
                         x = layers::MaxPooling2D(2)(x);
                         x = layers::Flatten()(x);
                         x = layers::Dense(500, {.activation = "relu"})(x);
                         auto outputs = layers::Dense(10)(x);
                         Model model(inputs, outputs, "lenet");
                         examples::train_on_mnist(example, model, {28, 28, 1});
                       });
}
