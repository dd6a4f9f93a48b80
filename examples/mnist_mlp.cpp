// SPDX-License-Identifier: Apache-2.0
// The first model of the Keras functional API guide: three dense layers on MNIST.
// Alone: mnist_mlp --data DIR. On four ranks: mpirun -np 4 mnist_mlp --data DIR.
#include "common/example.h"

using namespace strata;

int main(int argc, char** argv) {
  return examples::run(argc, argv, "Trains the guide's mnist_model (784-64-64-10) on MNIST files.", {},
                       [](auto& example) {
                         auto inputs = Input({784});
                         auto x = layers::Dense(64, {.activation = "relu"})(inputs);
                         x = layers::Dense(64, {.activation = "relu"})(x);
                         auto outputs = layers::Dense(10)(x);
                         Model model(inputs, outputs, "mnist_model");
                         if (example.options().verbose > 0) model.summary();

                         const auto data = example.load([&] {
                           auto files = datasets::mnist::load_data(example.options().data);
                           const auto images = [](const Tensor& t) {
                             return ops::reshape(ops::cast(t, Dtype::float32) / 255.0, {None, 784});
                           };
                           files.x_train = images(files.x_train);
                           files.x_test = images(files.x_test);
                           files.x_train.eval();
                           files.x_test.eval();
                           return files;
                         });

                         model.compile({.optimizer = example.options().optimizer,
                                        .loss = losses::SparseCategoricalCrossentropy({.from_logits = true}),
                                        .metrics = {"accuracy"}});
                         auto fit = example.fit_options();
                         fit.validation_split = 0.2;
                         const auto history = model.fit(data.x_train, data.y_train, fit);
                         const auto test_scores = model.evaluate(data.x_test, data.y_test, example.evaluate_options(2));
                         example.print("Test loss: " + std::to_string(test_scores[0]));
                         example.print("Test accuracy: " + std::to_string(test_scores[1]));
                         example.report(model, history, test_scores[0], test_scores[1]);
                       });
}
