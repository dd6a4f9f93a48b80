// SPDX-License-Identifier: Apache-2.0
#include "support/training_step.h"

namespace strata::benchmarks {
namespace {

CompileOptions classification() {
  return {.optimizer = optimizers::RMSprop(),
          .loss = losses::SparseCategoricalCrossentropy({.from_logits = true}),
          .metrics = {"accuracy"}};
}

}  // namespace

Classes::Classes(const Shape& input, Dim samples) {
  const RandomKey key{constant<std::int64_t>({1, 0, 0}, {3}), 1};
  x = ops::random_uniform(key, Shape{samples}.concat(input));
  const Tensor rule = ops::random_normal({key.state, 2}, {input.elements(), 10});
  y = ops::argmax(ops::matmul(ops::reshape(x - 0.5, {samples, input.elements()}), rule));
  x.eval();
  y.eval();
}

TrainingStep::TrainingStep(const Model& model, const Shape& input, Dim batch, Dim steps, Dim batches) : model_(model) {
  const Classes data(input, batch * batches);
  x_ = data.x;
  y_ = data.y;
  options_ = {.batch_size = batch, .epochs = static_cast<int>(std::max<Dim>(1, steps / batches)), .verbose = 0};
  model_.compile(classification());
}

TrainingStep::TrainingStep(const Model& model, Arrays x, Arrays y, const CompileOptions& compile,
                           const FitOptions& options)
    : model_(model), x_(std::move(x)), y_(std::move(y)), options_(options) {
  model_.compile(compile);
}

double TrainingStep::run() {
  const History history = model_.fit(x_, y_, options_);
  loss_ = history.at("loss").back();
  return history.training_seconds / static_cast<double>(history.steps - 1) * 1e3;
}

}  // namespace strata::benchmarks
