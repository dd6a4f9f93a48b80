// SPDX-License-Identifier: Apache-2.0
#include "tests/support/shared_training.h"

#include <algorithm>

#include "core/ops/ops.h"
#include "strata/strata.h"

namespace strata::testing {
namespace {

constexpr Dim kVocabulary = 700;
constexpr Dim kWords = 3;  // of a sample
constexpr Dim kWidth = 5;  // of a row: neither rows nor variables end where cache lines do
constexpr Dim kFew = 20;   // words that repeat so often that their gradient is dense

}  // namespace

Model shared_training_model(const SharedTraining& training) {
  clear_session();
  set_dtype_policy(training.policy);
  const Regularizer penalty = training.rules ? Regularizer("l2") : Regularizer();
  const Constraint constraint = training.rules ? constraints::MaxNorm(0.5) : Constraint();
  auto ids = Input({kWords}, {.dtype = Dtype::int32});
  Tensor x = layers::Dense(17, {.activation = "tanh", .kernel_constraint = constraint})(layers::Rescaling(0.001)(ids));
  x = layers::Dense(33, {.kernel_regularizer = penalty, .trainable = !training.frozen})(x);
  x = layers::BatchNormalization()(x);
  const Dim words = training.rows ? kVocabulary : kFew;
  const Tensor found = layers::Flatten()(layers::Embedding(words, kWidth)(ids));
  return Model(ids, layers::Dense(2, {.dtype = "float32"})(layers::Concatenate()({x, found})));
}

// Products favour small numbers: some rows are touched by several samples and blocks.
Tensor shared_training_words(Dim samples, int seed, const SharedTraining& training) {
  const RandomKey key{constant<std::int64_t>({seed, 0, 0}, {3}), 1};
  const Tensor u = ops::random_uniform(key, {samples, kWords}, 0.0, 1.0);
  return ops::cast(ops::floor(u * u * static_cast<double>(training.rows ? kVocabulary : kFew)), Dtype::int32);
}

Tensor shared_training_targets(Dim samples) {
  return ops::sin(ops::cast(ops::iota({samples, 2}, 0), Dtype::float32) * 0.7);
}

SharedTrainingResult train_shared(const SharedTraining& training, bool shard) {
  const Model model = shared_training_model(training);
  const CompileOptions compile{
      .optimizer = training.optimizer(), .loss = "mse", .auto_scale_loss = false, .shard_optimizer = shard};
  Trainer trainer(std::static_pointer_cast<Functional>(model.shared()), &compile);
  SharedTrainingResult result;
  int seed = 0;
  for (const Dim samples : {11, 2, 5, 11, 29, 7}) {
    const Tensor words = shared_training_words(samples, ++seed, training);
    result.losses.push_back(trainer.train_on_batch(words, shared_training_targets(samples), {.blocks = 5}).at(0));
  }
  for (const Variable& weight : model.weights()) {
    const auto values = ops::cast(weight.value(), Dtype::float32).to_vector<float>();
    result.weights.insert(result.weights.end(), values.begin(), values.end());
  }
  for (const NamedSlot& slot : trainer.optimizer_state()) {
    result.slot_names.push_back(slot.name);
    result.slots.push_back(ops::cast(slot.value, Dtype::float64).to_vector<double>());
  }
  clear_session();
  return result;
}

std::vector<std::pair<std::string, std::function<Optimizer()>>> catalogue_optimizers() {
  std::vector<std::pair<std::string, std::function<Optimizer()>>> all;
#define STRATA_OPTIMIZER(stem) all.emplace_back(#stem, nullptr);
#include "core/training/optimizers/list.inc"
#undef STRATA_OPTIMIZER
  for (auto& [stem, make] : all) {
    std::string name = stem;
    name.erase(std::remove(name.begin(), name.end(), '_'), name.end());
    if (name == "lossscaleoptimizer") make = [] { return optimizers::LossScaleOptimizer("adam"); };
    else make = [name] { return Optimizer(name); };
  }
  return all;
}

}  // namespace strata::testing
