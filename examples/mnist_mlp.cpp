// SPDX-License-Identifier: Apache-2.0
// The first model of the Keras functional API guide: three dense layers on MNIST.
// Alone: mnist_mlp --data DIR. On four ranks: mpirun -np 4 mnist_mlp --data DIR.
#include "common/mnist.h"

using namespace strata;

int main(int argc, char** argv) {
  return examples::run(argc, argv, "Trains the guide's mnist_model (784-64-64-10) on MNIST files.", {},
                       [](auto& example) {
                         auto inputs = Input({784});
                         auto x = layers::Dense(64, {.activation = "relu"})(inputs);
                         x = layers::Dense(64, {.activation = "relu"})(x);
                         auto outputs = layers::Dense(10)(x);
                         Model model(inputs, outputs, "mnist_model");
                         examples::train_on_mnist(example, model, {784});
                       });
}
