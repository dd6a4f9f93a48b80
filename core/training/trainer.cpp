// SPDX-License-Identifier: Apache-2.0
#include "core/training/trainer.h"

#include <xxhash.h>

#include <algorithm>
#include <cstring>

#include "core/base/error.h"

namespace strata {
namespace {

std::string describe(const DataSpecs& data) {
  std::string text = data.weighted ? "weighted" : "";
  for (const TensorSpec& spec : data.x) text += " x " + spec.str();
  for (const TensorSpec& spec : data.y) text += " y " + spec.str();
  return text;
}

Objective make_objective(const Functional& model, const CompileOptions& options) {
  const std::size_t outputs = model.outputs().size();
  Objective objective{options.loss.for_outputs(outputs), options.loss_weights, options.metrics};
  if (objective.loss_weights.empty()) objective.loss_weights.assign(outputs, 1.0);
  if (objective.loss_weights.size() != outputs) {
    throw ConfigError("When passing a list as loss_weights, it should have one entry per model output. The model has " +
                      std::to_string(outputs) + " outputs, but you passed " +
                      std::to_string(objective.loss_weights.size()) + " loss_weights.");
  }
  return objective;
}

}  // namespace

void require_equal(Communicator& communicator, const std::string& text, const std::string& what) {
  if (communicator.size() == 1) return;
  const std::uint64_t own = XXH3_64bits(text.data(), text.size());
  std::vector<std::uint64_t> all(static_cast<std::size_t>(communicator.size()));
  communicator.allgather(&own, all.data(), sizeof(own));
  for (std::size_t r = 1; r < all.size(); ++r) {
    if (all[r] == all[0]) continue;
    throw ConfigError(communicator.describe(static_cast<int>(r)) + " has another " + what +
                      " than rank 0: all ranks must run the same program on the same data. This rank has: " + text);
  }
}

Trainer::Trainer(std::shared_ptr<Functional> model, const CompileOptions* options)
    : model_(std::move(model)),
      session_(Session::current()),
      communicator_(session_.communicator()),
      device_(current_device()),
      compiled_(options != nullptr) {
  if (options == nullptr) return;
  if (!options->optimizer) throw ConfigError("compile: expected an optimizer, received none");
  optimizer_ = options->optimizer;
  objective_ = make_objective(*model_, *options);
}

void Trainer::require_compiled() const {
  if (compiled_) return;
  throw ConfigError("You must compile your model before training/testing. Use `model.compile(optimizer, loss)`.");
}

void Trainer::place_variables() {
  if (!state_) {
    state_ = std::make_unique<FlatState>(model_->trainable_weights(), model_->non_trainable_weights(), device_);
    if (compiled_) state_->create_slots(optimizer_->slots());
  }
  if (!state_->adopt()) return;
  for (auto& [key, engine] : engines_) engine->rebind_variables();
}

/// Every rank takes the weights of rank 0.
void Trainer::share_weights() {
  if (shared_ || communicator_.size() == 1) return;
  const auto stream = device_.make_stream();
  std::vector<std::byte> host;
  const auto share = [&](const FlatSet& set) {
    host.resize(set.layout.bytes());
    device_.copy_to_host(host.data(), set.values.data(), host.size(), *stream);
    stream->synchronize();
    communicator_.broadcast(host.data(), host.size(), 0);
    device_.copy_from_host(set.values.data(), host.data(), host.size(), *stream);
    stream->synchronize();
  };
  for (const FlatSet& set : state_->trainable()) share(set);
  for (const FlatSet& set : state_->others()) share(set);
  shared_ = true;
}

StepEngine& Trainer::engine(StepKind kind, const DataSpecs& data, Dim blocks) {
  place_variables();
  share_weights();
  auto& engine = engines_[{kind, blocks, describe(data)}];
  if (!engine) {
    EngineOptions options;
    options.blocks = blocks;
    engine = std::make_unique<StepEngine>(kind, model_, objective_, data, *state_, communicator_, options);
  }
  return *engine;
}

void Trainer::train_batch(StepEngine& engine, Batch batch) {
  batch.seed = static_cast<std::int64_t>(session_.seed());
  batch.step = iterations_;
  engine.run(batch, &optimizer_, iterations_);
  ++iterations_;
}

Logs Trainer::run_evaluation(const Dataset& data, Dim batch_size, Dim blocks,
                             const std::function<void(Dim, const Logs&)>& seen) {
  StepEngine& test = engine(StepKind::test, data.specs, blocks);
  test.prepare(std::min(batch_size, data.rows));
  RunningMeans means(test.sum_specs());
  for (Dim first = 0; first < data.rows; first += batch_size) {
    const Dim size = std::min(batch_size, data.rows - first);
    test.run({data.arrays, nullptr, first, size, 0, 0, first}, nullptr, 0);
    means.add(test.sums(), size);
    if (seen) seen(first + size, means.logs());
  }
  names_.clear();
  for (const auto& [name, value] : means.logs()) names_.push_back(name);
  return means.logs();
}

std::vector<double> Trainer::evaluate(const Arrays& x, const Arrays& y, const EvaluateOptions& options) {
  require_compiled();
  if (options.batch_size < 1) {
    throw ConfigError("evaluate: expected a batch_size of at least 1, received " + std::to_string(options.batch_size));
  }
  const Dataset data = make_dataset(*model_, &objective_, x, y, options.sample_weight);
  ProgressBar::Options bar_options;
  bar_options.target = data.rows;
  bar_options.verbose = communicator_.rank() == 0 ? options.verbose : 0;
  bar_options.dynamic = stdout_is_terminal();
  ProgressBar bar(bar_options);
  const Logs logs = run_evaluation(data, options.batch_size, options.blocks, [&](Dim done, const Logs& so_far) {
    if (done < data.rows) bar.update(done, so_far);
  });
  bar.finish(logs);
  std::vector<double> values;
  for (const auto& [name, value] : logs) values.push_back(value);
  return values;
}

std::vector<double> Trainer::run_single(StepKind kind, const Arrays& x, const Arrays& y, const Arrays& sample_weight) {
  require_compiled();
  const Dataset data = make_dataset(*model_, &objective_, x, y, sample_weight);
  StepEngine& step = engine(kind, data.specs, 0);
  Batch batch{data.arrays, nullptr, 0, data.rows, 0, 0, samples_seen_};
  if (kind == StepKind::train) {
    train_batch(step, batch);
    samples_seen_ += data.rows;
  } else {
    step.run(batch, nullptr, 0);
  }
  RunningMeans means(step.sum_specs());
  means.add(step.sums(), data.rows);
  names_.clear();
  std::vector<double> values;
  for (const auto& [name, value] : means.logs()) {
    names_.push_back(name);
    values.push_back(value);
  }
  return values;
}

std::vector<double> Trainer::train_on_batch(const Arrays& x, const Arrays& y, const Arrays& sample_weight) {
  return run_single(StepKind::train, x, y, sample_weight);
}

std::vector<double> Trainer::test_on_batch(const Arrays& x, const Arrays& y, const Arrays& sample_weight) {
  return run_single(StepKind::test, x, y, sample_weight);
}

}  // namespace strata
