// SPDX-License-Identifier: Apache-2.0
#include "common/mnist.h"

namespace strata::examples {

datasets::mnist::Data load_mnist(Example& example, const Shape& image) {
  return example.load([&] {
    auto files = datasets::mnist::load_data(example.options().data);
    for (Tensor* images : {&files.x_train, &files.x_test}) {
      *images = ops::reshape(ops::cast(*images, Dtype::float32) / 255.0, Shape{None}.concat(image));
      images->eval();
    }
    return files;
  });
}

void train_on_mnist(Example& example, Model& model, const Shape& image) {
  example.summarize(model);
  if (example.summary_only()) return;

  const auto data = load_mnist(example, image);

  model.compile({.optimizer = example.optimizer(),
                 .loss = losses::SparseCategoricalCrossentropy({.from_logits = true}),
                 .metrics = {"accuracy"},
                 .shard_optimizer = example.options().shard_optimizer});
  auto fit = example.fit_options();
  fit.validation_split = 0.2;
  const auto history = model.fit(data.x_train, data.y_train, fit);
  const auto test_scores = model.evaluate(data.x_test, data.y_test, example.evaluate_options(2));
  example.print("Test loss: " + std::to_string(test_scores[0]));
  example.print("Test accuracy: " + std::to_string(test_scores[1]));
  example.report(model, history, {{"test_loss", test_scores[0]}, {"test_accuracy", test_scores[1]}});
}

}  // namespace strata::examples
