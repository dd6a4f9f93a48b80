// SPDX-License-Identifier: Apache-2.0
#include "tests/support/interrupted_training.h"

#include "strata/strata.h"

namespace strata::testing {

/// Values that repeat after 101 of them.
Tensor small_x() {
  std::vector<float> values(40 * 6);
  for (std::size_t i = 0; i < values.size(); ++i) values[i] = static_cast<float>(i * 37 % 101) / 50.0F - 1.0F;
  return constant(values, {40, 6});
}

Tensor small_y() {
  std::vector<std::int32_t> values(40);
  for (std::size_t i = 0; i < values.size(); ++i) values[i] = static_cast<std::int32_t>(i * 7 % 3);
  return constant(values, {40});
}

Model small_model(const Optimizer& optimizer, Dim units, bool shard) {
  clear_session();
  set_seed(Session::current().seed());
  const Tensor input = Input({6});
  const Tensor hidden = layers::Dropout(0.3)(layers::Dense(units, {.activation = "relu"})(input));
  Model model(input, layers::Dense(3)(layers::BatchNormalization()(hidden)), "small");
  model.compile({.optimizer = optimizer,
                 .loss = losses::SparseCategoricalCrossentropy({.from_logits = true}),
                 .metrics = {"accuracy"},
                 .shard_optimizer = shard});
  return model;
}

Optimizer small_adam() { return optimizers::Adam({.learning_rate = 0.01}); }

FitOptions small_options(const std::vector<CallbackRef>& callbacks, Dim blocks) {
  return {.batch_size = 11,
          .epochs = kSmallEpochs,
          .verbose = 0,
          .callbacks = callbacks,
          .validation_data = {small_x(), small_y()},
          .blocks = blocks};
}

SmallResult train_small(Model model, const FitOptions& options) {
  SmallResult result;
  result.history = model.fit(small_x(), small_y(), options);
  result.weights = model.weights_hash();
  return result;
}

}  // namespace strata::testing
