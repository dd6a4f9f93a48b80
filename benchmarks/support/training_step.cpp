// SPDX-License-Identifier: Apache-2.0
#include "support/training_step.h"

namespace strata::benchmarks {

TrainingStep::TrainingStep(const Model& model, const Shape& input, Dim batch, Dim steps, Dim batches)
    : model_(model), batch_(batch), epochs_(static_cast<int>(std::max<Dim>(1, steps / batches))) {
  const RandomKey key{constant<std::int64_t>({1, 0, 0}, {3}), 1};
  const Dim samples = batch * batches;
  x_ = ops::random_uniform(key, Shape{samples}.concat(input));
  const Tensor rule = ops::random_normal({key.state, 2}, {input.elements(), 10});
  y_ = ops::argmax(ops::matmul(ops::reshape(x_ - 0.5, {samples, input.elements()}), rule));
  x_.eval();
  y_.eval();
  model_.compile({.optimizer = optimizers::RMSprop(),
                  .loss = losses::SparseCategoricalCrossentropy({.from_logits = true}),
                  .metrics = {"accuracy"}});
}

double TrainingStep::run() {
  const History history = model_.fit(x_, y_, {.batch_size = batch_, .epochs = epochs_, .verbose = 0});
  loss_ = history.at("loss").back();
  return history.training_seconds / static_cast<double>(history.steps - 1) * 1e3;
}

}  // namespace strata::benchmarks
