// SPDX-License-Identifier: Apache-2.0
// An LSTM that reads MNIST images row by row.
// Alone: lstm_rows --data DIR. On four ranks: mpirun -np 4 lstm_rows --data DIR.
#include "common/example.h"
#include "common/mnist.h"

using namespace strata;

int main(int argc, char** argv) {
  return examples::run(argc, argv, "Trains an LSTM over the rows of MNIST images.",
                       {.epochs = 3, .batch_size = 64, .optimizer = "adam"}, [](auto& example) {
                         auto inputs = Input({28, 28});
                         auto x = layers::LSTM(64)(inputs);
                         auto outputs = layers::Dense(10)(x);
                         Model model(inputs, outputs, "lstm_rows");
                         examples::train_on_mnist(example, model, {28, 28});
                       });
}
