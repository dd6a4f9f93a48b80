// SPDX-License-Identifier: Apache-2.0
#include "tests/support/exact_training.h"

#include <fmt/format.h>
#include <omp.h>

#include "strata/strata.h"
#include "tests/support/exact_models.h"
#include "tests/support/ranks.h"

namespace strata::testing {
namespace {

constexpr std::uint64_t kSeed = 3, kTrainingPart = 11, kTestPart = 12;

std::string exact(double value) { return fmt::format("{:a} ({:.9g})", value, value); }

void add_weights(const Model& model, TrainingResult& result) {
  std::size_t number = 0;
  for (const Variable& weight : model.weights()) {
    result.emplace_back(fmt::format("weight {} {}", number++, weight.path()),
                        fmt::format("{:016x}", hash_weights({weight})));
  }
  result.emplace_back("weights_xxh64", fmt::format("{:016x}", model.weights_hash()));
}

void add_history(const History& history, TrainingResult& result) {
  result.emplace_back("steps", std::to_string(history.steps));
  for (const auto& [name, values] : history.history) {
    for (std::size_t i = 0; i < values.size(); ++i) {
      result.emplace_back(fmt::format("{} of epoch {}", name, i), exact(values[i]));
    }
  }
}

}  // namespace

std::string TrainingCase::text() const {
  return fmt::format("{} with {}, batch {}, {} steps on {} ranks of {} threads, buckets of {} MB, {}{}", model,
                     optimizer, batch, steps(), ranks, threads, bucket_mb, shared_memory ? "shared memory" : "messages",
                     sharded ? ", sharded" : "");
}

TrainingCase TrainingCase::reference() const {
  return {.model = model, .optimizer = optimizer, .batch = batch, .batches = batches, .epochs = epochs};
}

std::vector<int> TrainingTable::sizes() const {
  std::vector<int> sizes;
  for (const std::size_t size : {models.size(), optimizers.size(), ranks.size(), batches.size(), threads.size(),
                                 buckets_mb.size(), shared_memory.size(), sharded.size()}) {
    sizes.push_back(static_cast<int>(size));
  }
  return sizes;
}

std::vector<TrainingCase> TrainingTable::cases(const CaseRows& rows, const TrainingCase& common) const {
  std::vector<TrainingCase> cases;
  for (const std::vector<int>& row : rows) {
    auto place = row.begin();
    const auto next = [&](const auto& values) { return values[static_cast<std::size_t>(*place++)]; };
    TrainingCase& run = cases.emplace_back(common);
    run.model = next(models);
    run.optimizer = next(optimizers);
    run.ranks = next(ranks);
    run.batch = next(batches);
    run.threads = next(threads);
    run.bucket_mb = next(buckets_mb);
    run.shared_memory = next(shared_memory);
    run.sharded = next(sharded);
  }
  return cases;
}

std::string difference(const TrainingResult& expected, const TrainingResult& seen) {
  for (std::size_t i = 0; i < std::min(expected.size(), seen.size()); ++i) {
    if (expected[i].first != seen[i].first) {
      return fmt::format("expected {}, received {}", expected[i].first, seen[i].first);
    }
    if (expected[i].second == seen[i].second) continue;
    return fmt::format("{}: expected {}, received {}", expected[i].first, expected[i].second, seen[i].second);
  }
  if (expected.size() == seen.size()) return "";
  return fmt::format("expected {} values, received {}", expected.size(), seen.size());
}

TrainingResult train(const TrainingCase& run, const Planted& planted) {
  clear_session();
  set_seed(kSeed);
  ExactModel made = exact_model(run.model);
  made.model.compile({.optimizer = run.optimizer,
                      .loss = made.loss,
                      .loss_weights = made.loss_weights,
                      .metrics = made.metrics,
                      .communicator = planted.communicator,
                      .shard_optimizer = run.sharded});
  const Samples own = exact_samples(run.model, run.samples(), kTrainingPart);
  const Samples& data = planted.data.x.empty() ? own : planted.data;
  const Samples test = exact_samples(run.model, run.batch + 3, kTestPart);
  const History history = made.model.fit(data.x, data.y,
                                         {.batch_size = run.batch,
                                          .epochs = run.epochs,
                                          .verbose = 0,
                                          .callbacks = planted.callbacks,
                                          .validation_data = test,
                                          .blocks = TrainingCase::kBlocks,
                                          .bucket_mb = run.bucket_mb});
  TrainingResult result;
  add_weights(made.model, result);
  add_history(history, result);
  const auto scores =
      made.model.evaluate(data.x, data.y, {.batch_size = run.batch, .verbose = 0, .blocks = TrainingCase::kBlocks});
  for (std::size_t i = 0; i < scores.size(); ++i) {
    result.emplace_back("evaluate's " + made.model.metrics_names()[i], exact(scores[i]));
  }
  return result;
}

std::vector<TrainingResult> train_on_threads(const TrainingCase& run) {
  std::vector<TrainingResult> results(static_cast<std::size_t>(run.ranks));
  run_ranks(run.ranks, [&](Communicator& communicator) {
    omp_set_num_threads(run.threads);
    results[static_cast<std::size_t>(communicator.rank())] = train(run);
  });
  return results;
}

}  // namespace strata::testing
