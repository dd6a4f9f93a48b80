// SPDX-License-Identifier: Apache-2.0
#include "core/training/step_engine.h"

#include <omp.h>
#include <xxhash.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <bit>
#include <cstdio>
#include <cstring>
#include <exception>

#include "core/base/error.h"
#include "core/base/thread_environment.h"
#include "core/ops/ops.h"
#include "core/training/block_nodes.h"
#include "core/training/step_engine_parts.h"

namespace strata {
namespace {

constexpr std::size_t kCachedSteps = 32;  // block sizes kept compiled

Dim checked_blocks(const EngineOptions& options, const Communicator& communicator) {
  const Dim blocks = options.blocks == 0 ? communicator.size() : options.blocks;
  if (blocks < communicator.size()) {
    throw ConfigError("There are more ranks (" + std::to_string(communicator.size()) + ") than blocks (" +
                      std::to_string(blocks) + "): use at most as many ranks as blocks, or more blocks.");
  }
  return blocks;
}

const char* name_of(StepKind kind) {
  return kind == StepKind::train ? "training step" : kind == StepKind::test ? "evaluation step" : "prediction step";
}

/// "epoch 0, step 12", for a timeline.
using Place = std::array<char, 64>;
Place place_of(const Batch& batch) {
  Place place{};
  const auto epoch = static_cast<long long>(batch.epoch), step = static_cast<long long>(batch.step);
  if (epoch < 0) std::snprintf(place.data(), place.size(), "step %lld", step);
  else std::snprintf(place.data(), place.size(), "epoch %lld, step %lld", epoch, step);
  return place;
}

/// The next power of two. Blocks whose sizes nobody knows beforehand grow beyond what was made for them only so often.
Dim rounded_up(Dim rows) { return static_cast<Dim>(std::bit_ceil(static_cast<std::uint64_t>(rows))); }

/// A batch of another size would leave rows of a state without a sample, or samples without a row.
void check_states_of_batch(const std::vector<StateSpec>& states, Dim batch_size) {
  for (const StateSpec& state : states) {
    if (state.combine != Combine::rows || state.variable.shape()[0] == batch_size) continue;
    throw ConfigError(
        "State '" + state.variable.path() + "' belongs to the samples of a batch of " +
        std::to_string(state.variable.shape()[0]) +
        ": expected batches of that size, as a stateful layer has been built for it. Received a batch of " +
        std::to_string(batch_size) + " samples.");
  }
}

}  // namespace

StepEngine::StepEngine(StepKind kind, std::shared_ptr<Functional> model, Objective objective, DataSpecs data,
                       FlatState& state, Communicator& communicator, const EngineOptions& options)
    : kind_(kind),
      model_(std::move(model)),
      objective_(std::move(objective)),
      data_(std::move(data)),
      state_(state),
      communicator_(communicator),
      options_(options),
      device_(state.device()),
      blocks_(checked_blocks(options, communicator)),
      own_blocks_(rank_blocks(blocks_, communicator.size(), communicator.rank())),
      of_leaf_(blocks_of_leaf(blocks_, communicator.size())) {
  const int wanted = options.threads > 0 ? options.threads : omp_get_max_threads();
  threads_ = static_cast<int>(std::min<Dim>(wanted, own_blocks_.size()));
  for (const FlatSet& set : state_.trainable()) {
    trainable_.insert(trainable_.end(), set.layout.variables.begin(), set.layout.variables.end());
  }
  for (int t = 0; t < threads_; ++t) streams_.push_back(device_.make_stream());
  for (Dim b = 0; b < own_blocks_.size(); ++b) slots_.push_back(std::make_unique<Slot>(b, own_blocks_.first + b));
  make_nodes();
  errors_.resize(static_cast<std::size_t>(threads_));
  arenas_.resize(slots_.size());
}

StepEngine::~StepEngine() = default;

StepEngine::Step& StepEngine::step(Dim rows) {
  if (const auto found = steps_.find(rows); found != steps_.end()) return found->second;
  const auto by_rows = [&](std::size_t variable, Dim ids) { return chooses_rows(variable, ids); };
  Step added{compile_step(kind_, *model_, objective_, data_, rows, trainable_, device_, by_rows), {}, {}, {}, 0};
  if (!regions_ready_) {
    create_regions(added.compiled);
    region_rows_ = rows;
  }
  exchange_->require_same(*added.compiled.program);
  find_events(added);
  label_instructions(added);
  find_stops(added);
  fresh_ = true;
  return steps_.emplace(rows, std::move(added)).first->second;
}

void StepEngine::prepare(const BatchBlocks& blocks) {
  if (steps_.size() > kCachedSteps) forget_steps();
  // What ranks agree on without a message follows from the largest block: which gradients are by rows, and how long
  // those lists can be. A rank without samples learns from it what it takes part in.
  const Dim largest = std::max<Dim>(1, blocks.largest());
  const bool by_rows = std::any_of(regions_.begin(), regions_.end(),
                                   [](const auto& region) { return region->kind == Region::Kind::rows; });
  if (by_rows && largest > region_rows_) {
    forget_steps();
    regions_ready_ = false;
  }
  if (!regions_ready_) step(blocks.even() ? largest : std::min(rounded_up(largest), std::max<Dim>(1, blocks.size())));
  for (auto& slot : slots_) {
    const Dim rows = blocks.samples(own_blocks_.first + slot->index).size();
    if (rows > 0) prepare_slot(*slot, rows);
  }
  if (steps_.empty()) step(largest);
  place_buckets(blocks);
  check_states_of_batch(state_specs_, blocks.size());
}

bool StepEngine::is_compiled_for(Dim rows) const { return regions_ready_ && (rows == 0 || steps_.contains(rows)); }

void StepEngine::forget_steps() {
  steps_.clear();
  for (auto& slot : slots_) slot->states.clear();
}

void StepEngine::rebind_variables() {
  for (auto& slot : slots_) {
    for (auto& [rows, state] : slot->states) state.run->bind_variables();
  }
}

std::vector<Variable> StepEngine::layer_states() const {
  const std::vector<Variable> weights = model_->weights();
  std::vector<Variable> states;
  for (const StateSpec& spec : state_specs_) {
    if (std::find(weights.begin(), weights.end(), spec.variable) == weights.end()) states.push_back(spec.variable);
  }
  return states;
}

std::vector<RoundingErrors> StepEngine::rounding_errors() const {
  std::vector<RoundingErrors> all;
  for (const auto& bucket : buckets_) {
    const auto* rounds = dynamic_cast<const KeepsRoundingErrors*>(bucket->sum.get());
    RoundingErrors errors = rounds != nullptr ? rounds->rounding_errors() : RoundingErrors();
    if (errors.values) all.push_back(std::move(errors));
  }
  return all;
}

/// Those of a step that is left out are of the size of its gradients, which may be huge; the ones before it are lost
/// with them.
void StepEngine::forget_rounding_errors() {
  for (const RoundingErrors& errors : rounding_errors()) {
    std::fill_n(errors.values->data(), errors.values->bytes(), std::byte{0});
  }
}

void StepEngine::run(const Batch& batch, const Optimizer* optimizer, std::int64_t iteration, bool finite_only) {
  const ThreadEnvironment environment;
  timeline_ = TimelineRecorder::current();
  const auto place = timeline_ == nullptr ? Place{} : place_of(batch);
  const TimelineSpan whole(timeline_, TimelineCategory::step, 0, name_of(kind_), place.data());
  {
    const TimelineSpan span(timeline_, TimelineCategory::step, 0, "prepare");
    prepare(blocks_of(batch));
  }
  if (kind_ == StepKind::predict) allocate_predictions(own_samples(batch).size());
  const CommunicatorStep step(communicator_, {batch.epoch, kind_ == StepKind::train ? batch.step : -1},
                              std::exchange(fresh_, false) || batch.is_first);
  run_blocks(batch);
  finish(optimizer, iteration, finite_only);
}

std::optional<Variable> StepEngine::first_not_finite() {
  if (!left_out_) return {};
  return update_->first_not_finite(model_->trainable_weights(), *streams_[0]);
}

std::vector<TensorSpec> StepEngine::prediction_specs() const {
  const StepProgram& any = steps_.begin()->second.compiled;
  const auto& outputs = any.program->outputs();
  return {outputs.begin() + any.first_prediction, outputs.end()};
}

void StepEngine::allocate_predictions(Dim rows) {
  const auto specs = prediction_specs();
  predictions_.resize(specs.size());
  for (std::size_t k = 0; k < specs.size(); ++k) {
    const std::size_t bytes = static_cast<std::size_t>(rows) * row_bytes(specs[k]);
    if (!predictions_[k] || predictions_[k]->bytes() < bytes) {
      predictions_[k] = std::make_shared<Storage>(device_, bytes);
    }
  }
}

const std::byte* StepEngine::predictions(std::size_t k) {
  if (device_.host_accessible()) return predictions_[k]->data();
  host_predictions_.resize(predictions_.size());
  host_predictions_[k].resize(predictions_[k]->bytes());
  device_.copy_to_host(host_predictions_[k].data(), predictions_[k]->data(), predictions_[k]->bytes(), *streams_[0]);
  streams_[0]->synchronize();
  return host_predictions_[k].data();
}

std::uint64_t StepEngine::hash(Dim batch_size) {
  std::string text = "blocks=" + std::to_string(blocks_) + " batch=" + std::to_string(batch_size);
  for (Dim b = 0; b < blocks_; ++b) {
    const Dim rows = block_samples(batch_size, blocks_, b).size();
    if (rows > 0) text += " " + std::to_string(rows) + ":" + std::to_string(program(rows).hash());
  }
  return XXH3_64bits(text.data(), text.size());
}

}  // namespace strata
