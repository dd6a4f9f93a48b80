// SPDX-License-Identifier: Apache-2.0
#include "tests/support/synchronized_training.h"

#include "strata/strata.h"

namespace strata::testing {
namespace {

Model batch_statistics_model(bool synchronized) {
  auto input = Input({3, 5});
  auto x = layers::Dense(6, {.activation = "relu"})(input);
  x = layers::BatchNormalization({.momentum = 0.7, .synchronized = synchronized})(x);
  x = layers::Flatten()(x);
  x = layers::Dense(7)(x);
  x = layers::BatchNormalization({.momentum = 0.9, .synchronized = synchronized})(x);
  return Model(input, layers::Dense(4)(x), "batch_statistics");
}

}  // namespace

SynchronizedRun train_with_batch_statistics(Dim batch, Dim blocks, int steps, bool synchronized) {
  clear_session();
  const RandomKey key{constant<std::int64_t>({7, 0, 0}, {3}), 3};
  const Tensor x = ops::random_normal(key, {batch, 3, 5}, 4.0);
  const Tensor y = ops::argmax(ops::reshape(ops::slice(x, {0, 0, 0}, {None, 1, 4}), {batch, 4}));
  Model model = batch_statistics_model(synchronized);
  model.compile(
      {.optimizer = optimizers::SGD({0.5}), .loss = losses::SparseCategoricalCrossentropy({.from_logits = true})});
  SynchronizedRun run;
  for (int step = 0; step < steps; ++step) {
    run.losses.push_back(model.train_on_batch(x, y, {.blocks = blocks})[0]);
  }
  run.losses.push_back(model.test_on_batch(x, y, {.blocks = blocks})[0]);
  for (const Variable& weight : model.weights())
    run.weights.push_back(ops::cast(weight, Dtype::float64).to_vector<double>());
  run.weights_hash = model.weights_hash();
  return run;
}

}  // namespace strata::testing
