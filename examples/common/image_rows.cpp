// SPDX-License-Identifier: Apache-2.0
#include "common/image_rows.h"

namespace strata::examples {

void train_on_image_rows(Example& example, Model model) {
  if (example.options().verbose > 0) model.summary();
  const auto data = example.load([&] {
    auto files = datasets::mnist::load_data(example.options().data);
    for (Tensor* images : {&files.x_train, &files.x_test}) {
      *images = ops::cast(*images, Dtype::float32) / 255.0;
      images->eval();
    }
    return files;
  });
  model.compile({.optimizer = example.options().optimizer,
                 .loss = losses::SparseCategoricalCrossentropy({.from_logits = true}),
                 .metrics = {"accuracy"}});
  const auto history = model.fit(data.x_train, data.y_train, example.fit_options());
  const auto test_scores = model.evaluate(data.x_test, data.y_test, example.evaluate_options(2));
  example.print("Test loss: " + std::to_string(test_scores[0]));
  example.print("Test accuracy: " + std::to_string(test_scores[1]));
  example.report(model, history, test_scores[0], test_scores[1]);
}

}  // namespace strata::examples
