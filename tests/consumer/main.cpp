// SPDX-License-Identifier: Apache-2.0
// Builds the guide's model, trains one step on the values 0 and 1, and prints the summary: layers, training and ranks
// all link.
#include <strata/strata.h>

#include <cstdio>
#include <exception>

int main() {
  using namespace strata;
  try {
    auto inputs = Input({784});
    auto x = layers::Dense(64, {.activation = "relu"})(inputs);
    auto outputs = layers::Dense(10)(x);
    Model model(inputs, outputs, "consumer_model");
    model.summary();
    model.compile({.optimizer = "sgd", .loss = losses::SparseCategoricalCrossentropy({.from_logits = true})});
    const auto losses = model.train_on_batch(ops::ones({8, 784}), ops::zeros({8}, Dtype::int64));
    std::printf("loss %.3f on %d rank\n", losses.at(0), world()->size());
    return losses.at(0) > 0 ? 0 : 1;
  } catch (const std::exception& error) {
    std::fprintf(stderr, "%s\n", error.what());
    return 1;
  }
}
