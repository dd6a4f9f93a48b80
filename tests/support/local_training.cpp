// SPDX-License-Identifier: Apache-2.0
#include "tests/support/local_training.h"

#include "core/training/step_engine.h"
#include "core/training/trainer.h"
#include "strata/strata.h"
#include "tests/support/block_training.h"

namespace strata::testing {
namespace {

constexpr Dim kVocabulary = 900;

Model mixed_model() {
  auto words = Input({3}, {.dtype = Dtype::int32}), numbers = Input({5});
  const Tensor found = layers::Flatten()(layers::Embedding(kVocabulary, 4)(words));
  Tensor x = layers::Dense(8, {.activation = "tanh"})(layers::Concatenate()({found, numbers}));
  x = layers::Dropout(0.3)(layers::BatchNormalization({.synchronized = true})(x));
  return Model({words, numbers}, layers::Dense(2)(x), "mixed");
}

CompileOptions mixed_options() {
  return {.optimizer = optimizers::SGD({.learning_rate = 0.1, .momentum = 0.9}),
          .loss = "mse",
          .metrics = {"mae"},
          .weighted_metrics = {"mse"}};
}

Samples mixed_samples(std::int64_t first, Dim count) {
  const RandomKey key{constant<std::int64_t>({9, 0, first}, {3}), 1};
  const Tensor u = ops::random_uniform(key, {count, 11}, 0.0, 1.0, Dtype::float64);
  const auto columns = [&](Dim from, Dim to) { return ops::slice(u, {0, from}, {None, to}); };
  return {.x = {ops::cast(columns(0, 3) * static_cast<double>(kVocabulary), Dtype::int32), columns(3, 8)},
          .y = columns(8, 10),
          .sample_weight = ops::reshape(columns(10, 11), {count})};
}

CompileOptions masked_options() {
  return {.optimizer = optimizers::SGD({.learning_rate = 0.5}),
          .loss = losses::SparseCategoricalCrossentropy({.from_logits = true}),
          .metrics = {"accuracy"}};
}

Samples masked_samples(std::int64_t first, Dim count) {
  const auto last = [&](const Tensor& all) { return ops::slice(all, {first, 0}, {first + count, None}); };
  return {.x = last(masked_words(first + count)), .y = last(word_classes(first + count)), .sample_weight = {}};
}

Model compiled(const LocalCase& test_case, std::shared_ptr<Communicator> communicator) {
  clear_session();
  Model model = test_case.model();
  CompileOptions options = test_case.options();
  options.communicator = std::move(communicator);
  model.compile(options);
  return model;
}

/// Where the samples of each rank begin in a step; then the number of all.
std::vector<Dim> limits_of(int ranks, int step) {
  std::vector<Dim> limits{0};
  for (int r = 0; r < ranks; ++r) limits.push_back(limits.back() + local_samples(step, r, ranks));
  return limits;
}

}  // namespace

std::vector<LocalCase> local_cases() {
  return {{"mixed", mixed_model, mixed_options, mixed_samples},
          {"masked", block_sum_model, masked_options, masked_samples}};
}

Dim local_samples(int step, int rank, int ranks) {
  const int none_or_more = (7 * step + 5 * rank * (step + 2)) % 9 - 2;
  return rank == step % ranks ? 3 + step : std::max(0, none_or_more);
}

LocalRun::LocalRun(const LocalCase& test_case, std::shared_ptr<Communicator> communicator)
    : case_(test_case), model_(compiled(test_case, communicator)) {
  const Communicator& ranks = communicator ? *communicator : Session::current().communicator();
  ranks_ = ranks.size();
  rank_ = ranks.rank();
}

LocalRun::LocalRun(const LocalCase& test_case, int ranks)
    : case_(test_case), model_(compiled(test_case, nullptr)), ranks_(ranks), rank_(-1) {}

void LocalRun::step(bool trains) {
  const auto limits = limits_of(ranks_, step_++);
  const auto limit = [&](int rank) { return seen_ + limits[static_cast<std::size_t>(rank)]; };
  const bool local = rank_ >= 0;
  const IndexRange own{local ? limit(rank_) : seen_, local ? limit(rank_ + 1) : limit(ranks_)};
  const Samples samples = case_.samples(own.first, own.size());
  const BatchOptions options{.sample_weight = samples.sample_weight, .blocks = local ? 0 : 1, .local = local};
  const auto values = trains ? model_.train_on_batch(samples.x, samples.y, options)
                             : model_.test_on_batch(samples.x, samples.y, options);
  results_.insert(results_.end(), values.begin(), values.end());
  seen_ += limits.back();
}

LocalTraining LocalRun::result() const {
  LocalTraining result{results_, {}, model_.weights_hash()};
  for (const Variable& weight : model_.weights()) {
    const auto values = ops::cast(weight, Dtype::float64).to_vector<double>();
    result.weights.insert(result.weights.end(), values.begin(), values.end());
  }
  return result;
}

LocalTraining train_on_local_batches(const LocalCase& test_case, int steps) {
  LocalRun run(test_case);
  for (int step = 0; step < steps; ++step) run.step();
  run.step(false);
  return run.result();
}

LocalTraining train_on_whole_batches(const LocalCase& test_case, int ranks, int steps) {
  LocalRun run(test_case, ranks);
  for (int step = 0; step < steps; ++step) run.step();
  run.step(false);
  return run.result();
}

std::uint64_t train_on_blocks_of_ranks(const LocalCase& test_case, int ranks, int steps) {
  clear_session();
  Model model = test_case.model();
  const CompileOptions options = test_case.options();
  const Objective objective = make_objective(model.graph().output_names(), options.loss, options.loss_weights,
                                             options.metrics, options.weighted_metrics);
  FlatState state(model.layer().trainable_weights(), model.layer().non_trainable_weights(), {}, cpu_device());
  state.create_slots(options.optimizer);
  state.adopt();
  const auto graph = std::static_pointer_cast<Functional>(model.shared());
  const auto arrays_of = [&](const Samples& s) { return check_arrays(*graph, &objective, s); };
  const auto single = make_single_communicator();
  StepEngine engine(StepKind::train, graph, objective, arrays_of(test_case.samples(0, 2)).specs, state, *single,
                    {.blocks = ranks});
  std::int64_t seen = 0;
  for (int s = 0; s < steps; ++s) {
    const auto limits = limits_of(ranks, s);
    const CheckedArrays data = arrays_of(test_case.samples(seen, limits.back()));
    const auto seed = static_cast<std::int64_t>(Session::current().seed());
    engine.run(
        {.arrays = data.arrays, .size = data.rows, .seed = seed, .step = s, .sample_base = seen, .limits = limits},
        &options.optimizer, s);
    seen += limits.back();
  }
  return model.weights_hash();
}

}  // namespace strata::testing
