// SPDX-License-Identifier: Apache-2.0
#include "core/training/trainer.h"

#include <xxhash.h>

#include <algorithm>
#include <cmath>
#include <cstring>
#include <exception>

#include "core/base/error.h"
#include "core/ops/instruction_sets.h"
#include "core/training/batch_feed.h"
#include "core/training/bucket_size.h"
#include "core/training/local_batch.h"
#include "core/training/same_instructions.h"

namespace strata {
namespace {

std::string describe(const DataSpecs& data) {
  std::string text;
  for (const TensorSpec& spec : data.x) text += " x " + spec.str();
  for (const TensorSpec& spec : data.y) text += " y " + spec.str();
  for (const TensorSpec& spec : data.weights) text += " weight " + spec.str();
  return text;
}

}  // namespace

void succeed_together(Communicator& communicator, const std::string& path, const std::function<void()>& act) {
  if (communicator.size() == 1) return act();
  std::exception_ptr failure;
  std::string error;
  try {
    act();
  } catch (const std::exception& failed) {
    failure = std::current_exception();
    error = failed.what();
  }
  // Longer by one than the error's text; 0 where all went well.
  std::uint64_t length = failure ? error.size() + 1 : 0;
  std::vector<std::uint64_t> all(static_cast<std::size_t>(communicator.size()));
  communicator.allgather(&length, all.data(), sizeof(length));
  const auto first = std::find_if(all.begin(), all.end(), [](std::uint64_t l) { return l != 0; });
  if (first == all.end()) return;
  const int rank = static_cast<int>(first - all.begin());
  std::string shared = error;
  shared.resize(*first - 1);
  if (!shared.empty()) communicator.broadcast(shared.data(), shared.size(), rank);
  if (failure) std::rethrow_exception(failure);
  throw IoError(path, "rank " + std::to_string(rank) + " cannot go on with it: " + shared);
}

void require_equal(Communicator& communicator, const std::string& text, const std::string& what) {
  if (communicator.size() == 1) return;
  const std::uint64_t own = XXH3_64bits(text.data(), text.size());
  std::vector<std::uint64_t> all(static_cast<std::size_t>(communicator.size()));
  communicator.allgather(&own, all.data(), sizeof(own));
  for (std::size_t r = 1; r < all.size(); ++r) {
    if (all[r] == all[0]) continue;
    std::string message = communicator.describe(static_cast<int>(r));
    message.append(" has another ")
        .append(what)
        .append(" than rank 0: all ranks must run the same program on the same data. This rank has: ")
        .append(text);
    throw ConfigError(message);
  }
}

Trainer::Trainer(std::shared_ptr<Functional> model, const CompileOptions* options)
    : model_(std::move(model)),
      session_(Session::current()),
      communicator_held_(options != nullptr ? options->communicator : nullptr),
      communicator_(communicator_held_ ? *communicator_held_ : session_.communicator()),
      device_(current_device()),
      compiled_(options != nullptr),
      shard_optimizer_(options != nullptr && options->shard_optimizer) {
  if (is_built()) collect_variables();
  if (options == nullptr) return;
  if (!options->optimizer) throw ConfigError("compile: expected an optimizer, received none");
  optimizer_ = options->optimizer;
  const bool half = options->auto_scale_loss && model_->dtype_policy().name() == "mixed_float16";
  if (half && optimizer_.loss_scaling() == nullptr) optimizer_ = optimizers::LossScaleOptimizer(optimizer_);
  waiting_ = *options;
  if (!model_->output_names().empty()) fix_objective();
}

void Trainer::fix_objective() {
  if (!waiting_) return;
  objective_ = make_objective(model_->output_names(), waiting_->loss, waiting_->loss_weights, waiting_->metrics,
                              waiting_->weighted_metrics);
  objective_.scales_loss = optimizer_.scales_loss();
  waiting_.reset();
}

void Trainer::collect_variables() {
  trainable_ = model_->trainable_weights();
  others_ = model_->non_trainable_weights();
}

void Trainer::build_for(const Arrays& x) {
  std::vector<TensorSpec> specs;
  for (const Tensor& t : x.tensors()) {
    const Dtype dtype = is_floating(t.dtype()) ? session_.default_dtype() : t.dtype();
    specs.push_back({t.rank() == 0 ? t.shape() : t.shape().with(0, None), dtype});
  }
  const bool was_built = is_built();
  model_->prepare_for(specs);
  fix_objective();
  if (!was_built) collect_variables();
}

void Trainer::require_compiled() const {
  if (compiled_) return;
  throw ConfigError("You must compile your model before training/testing. Use `model.compile(optimizer, loss)`.");
}

void Trainer::place_variables() {
  if (!state_) {
    state_ = std::make_unique<FlatState>(trainable_, others_, model_->weight_rules(), device_);
    state_->set_names(model_->named_weights());
    if (compiled_) state_->create_slots(optimizer_, shard_optimizer_ ? &communicator_ : nullptr);
  }
  if (!state_->adopt()) return;
  for (auto& [key, cached] : engines_) cached.engine->rebind_variables();
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

std::string Trainer::describe_variables() const {
  std::string text = shard_optimizer_ ? "sharded optimizer, " : "";
  for (const Variable& v : trainable_) text += v.path() + " " + v.spec().str() + ", ";
  text += "not trained: ";
  for (const Variable& v : others_) text += v.path() + " " + v.spec().str() + ", ";
  return text;
}

/// Measured once, when first needed. Only gradients are cut into buckets.
std::size_t Trainer::bucket_bytes(StepKind kind, double bucket_mb) {
  if (kind != StepKind::train || communicator_.size() == 1) return EngineOptions().bucket_bytes;
  if (bucket_mb > 0) return static_cast<std::size_t>(std::llround(bucket_mb * 1e6));
  if (measured_bucket_bytes_ == 0) measured_bucket_bytes_ = measure_bucket_bytes(communicator_);
  return measured_bucket_bytes_;
}

bool Trainer::sums_own_gradients(StepKind kind, bool finite_only) const {
  return kind == StepKind::train && shard_optimizer_ && !OptimizerUpdate::needs_all_gradients(optimizer_, finite_only);
}

std::shared_ptr<StepEngine> Trainer::engine(StepKind kind, const DataSpecs& data, const EngineUse& use) {
  const EngineKey key{kind,           use.blocks,
                      describe(data), bucket_bytes(kind, use.bucket_mb),
                      use.compress,   sums_own_gradients(kind, use.finite_only)};
  auto cached = engines_.find(key);
  if (cached == engines_.end()) {
    require_same_instructions(communicator_, instruction_sets());
    require_equal(communicator_, key.data + ", blocks " + std::to_string(use.blocks) + ", " + describe_variables(),
                  "model");
  }
  place_variables();
  share_weights();
  if (cached == engines_.end()) {
    if (engines_.size() >= kCachedEngines) {
      engines_.erase(std::min_element(engines_.begin(), engines_.end(), [](const auto& a, const auto& b) {
        return a.second.last_use < b.second.last_use;
      }));
    }
    EngineOptions options;
    options.blocks = use.blocks;
    options.bucket_bytes = key.bucket_bytes;
    options.compress = use.compress;
    options.own_gradients = key.own_gradients;
    auto made = std::make_shared<StepEngine>(kind, model_, objective_, data, *state_, communicator_, options);
    cached = engines_.emplace(key, CachedEngine{std::move(made), 0}).first;
  }
  cached->second.last_use = ++engine_uses_;
  return cached->second.engine;
}

namespace {

NumericError not_finite(StepEngine& engine, const Batch& batch) {
  const std::optional<Variable> first = engine.first_not_finite();
  return NumericError("epoch " + std::to_string(batch.epoch + 1) + ", step " + std::to_string(batch.epoch_step + 1) +
                      ": expected finite gradients, received NaN or infinity in that of " +
                      (first ? "'" + first->path() + "'" : "the norm of all") +
                      ". Nothing has been changed in this step.");
}

}  // namespace

// A callback or another model that shares variables may have moved them since the last step.
bool Trainer::train_batch(StepEngine& engine, Batch batch, NanPolicy policy) {
  place_variables();
  batch.seed = static_cast<std::int64_t>(session_.seed());
  batch.step = iterations_;
  for (const Variable& variable : trainable_) variable.keep_reads();
  // Where a LossScaleOptimizer looks for its factor, gradients are infinite now and then.
  const bool searching = optimizer_.loss_scaling() != nullptr && state_->loss_scale().scale > 1.0;
  engine.run(batch, &optimizer_, optimizer_steps_, policy != NanPolicy::ignore);
  if (engine.left_out() && policy == NanPolicy::stop && !searching) throw not_finite(engine, batch);
  optimizer_steps_ = optimizer_.steps();
  ++iterations_;
  return !engine.left_out();
}

void Trainer::name_results(const Logs& logs) {
  names_.clear();
  for (const auto& [name, value] : logs) names_.push_back(name);
}

Logs Trainer::run_evaluation(const CheckedArrays& data, Dim batch_size, Dim blocks,
                             const std::function<void(Dim, const Logs&)>& seen) {
  const auto held = engine(StepKind::test, data.specs, {.blocks = blocks});
  StepEngine& test = *held;
  test.prepare(std::min(batch_size, data.rows));
  RunningLogs running(test.sum_specs());
  BatchFeed feed(data, {.batch_size = batch_size}, session_.seed(), test.blocks(), communicator_);
  for (Dim step = 0; step < feed.steps(); ++step) {
    const Batch batch = feed.batch(0, step);
    test.run(batch, nullptr, 0);
    running.add(test.sums(), batch.size);
    if (seen) seen(step * batch_size + batch.size, running.logs());
  }
  name_results(running.logs());
  return running.logs();
}

std::vector<double> Trainer::evaluate(const Arrays& x, const Arrays& y, const EvaluateOptions& options,
                                      const DataUse& use) {
  require_compiled();
  if (options.batch_size < 1) {
    throw ConfigError("evaluate: expected a batch_size of at least 1, received " + std::to_string(options.batch_size));
  }
  const CheckedArrays data =
      checked(&objective_, {x, y, options.sample_weight, use.source, use.prefetch}).batched(options.batch_size, use);
  require_equal(communicator_, std::to_string(data.rows) + " samples, batch_size " + std::to_string(options.batch_size),
                "evaluation");
  SampleProgress bar(data.rows, options.batch_size, communicator_.rank() == 0 ? options.verbose : 0, use.counts_steps);
  const Logs logs = run_evaluation(data, options.batch_size, options.blocks,
                                   [&](Dim done, const Logs& so_far) { bar.update(done, so_far); });
  bar.finish(logs);
  std::vector<double> values;
  for (const auto& [name, value] : logs) values.push_back(value);
  return values;
}

CheckedArrays Trainer::checked_batch(const Arrays& x, const Arrays& y, const BatchOptions& options) {
  if (options.local && options.blocks != 0) {
    throw ConfigError("A batch of all ranks' own samples has one block a rank: expected blocks of 0, received " +
                      std::to_string(options.blocks));
  }
  build_for(x);
  CheckedArrays data = check_arrays(*model_, &objective_, {x, y, options.sample_weight}, options.local);
  data.add_class_weights(options.class_weight);
  return data;
}

std::vector<double> Trainer::run_single(StepKind kind, const Arrays& x, const Arrays& y, const BatchOptions& options) {
  require_compiled();
  if (options.local) return run_local(kind, x, y, options);
  const CheckedArrays data = checked_batch(x, y, options);
  require_equal(communicator_, std::to_string(data.rows) + " samples", "batch");
  return run_batch(kind, data.specs, options.blocks, {.arrays = data.arrays, .size = data.rows});
}

std::vector<double> Trainer::run_local(StepKind kind, const Arrays& x, const Arrays& y, const BatchOptions& options) {
  CheckedArrays data;
  LocalPart part;
  try {
    data = checked_batch(x, y, options);
    const std::string text = std::to_string(static_cast<int>(kind)) + describe(data.specs);
    part = {data.rows, XXH3_64bits(text.data(), text.size()), !is_compiled_for(kind, data)};
  } catch (const std::exception&) {
    part.error = std::current_exception();
  }
  const LocalBatch batch = join_local_parts(communicator_, part);
  const Dim before = batch.limits[static_cast<std::size_t>(communicator_.rank())];
  return run_batch(kind, data.specs, 0,
                   {.arrays = data.arrays,
                    .first = -before,
                    .size = batch.limits.back(),
                    .limits = batch.limits,
                    .is_first = batch.is_new});
}

bool Trainer::is_compiled_for(StepKind kind, const CheckedArrays& data) const {
  const bool measures = kind == StepKind::train && communicator_.size() > 1;
  const std::size_t bytes = measures ? measured_bucket_bytes_ : EngineOptions().bucket_bytes;
  const auto cached = engines_.find({kind, 0, describe(data.specs), bytes, false, sums_own_gradients(kind, false)});
  return cached != engines_.end() && cached->second.engine->is_compiled_for(data.rows);
}

std::vector<double> Trainer::run_batch(StepKind kind, const DataSpecs& data, Dim blocks, Batch batch) {
  const auto step = engine(kind, data, {.blocks = blocks});
  batch.sample_base = samples_seen_;
  if (kind == StepKind::train) {
    train_batch(*step, batch);
    samples_seen_ += batch.size;
  } else {
    step->run(batch, nullptr, 0);
  }
  RunningLogs running(step->sum_specs());
  running.add(step->sums(), batch.size);
  name_results(running.logs());
  std::vector<double> values;
  for (const auto& [name, value] : running.logs()) values.push_back(value);
  return values;
}

std::vector<double> Trainer::train_on_batch(const Arrays& x, const Arrays& y, const BatchOptions& options) {
  return run_single(StepKind::train, x, y, options);
}

std::vector<double> Trainer::test_on_batch(const Arrays& x, const Arrays& y, const BatchOptions& options) {
  return run_single(StepKind::test, x, y, options);
}

}  // namespace strata
