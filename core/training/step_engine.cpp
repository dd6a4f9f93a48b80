// SPDX-License-Identifier: Apache-2.0
#include "core/training/step_engine.h"

#include <omp.h>
#include <xxhash.h>

#include <algorithm>
#include <atomic>
#include <cstring>
#include <exception>

#include "core/base/error.h"
#include "core/base/simd.h"
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
  for (Dim b = 0; b < own_blocks_.size(); ++b) slots_.push_back(std::make_unique<Slot>(b));
  make_nodes();
  errors_.resize(static_cast<std::size_t>(threads_));
  arenas_.resize(slots_.size());
}

StepEngine::~StepEngine() = default;

IndexRange StepEngine::own_samples(Dim batch_size) const {
  return rank_samples(batch_size, blocks_, communicator_.size(), communicator_.rank());
}

StepEngine::Step& StepEngine::step(Dim rows) {
  if (const auto found = steps_.find(rows); found != steps_.end()) return found->second;
  const auto by_rows = [&](std::size_t variable, Dim ids) { return chooses_rows(variable, ids); };
  Step added{compile_step(kind_, *model_, objective_, data_, rows, trainable_, device_, by_rows), {}, {}};
  if (!regions_ready_) {
    create_regions(added.compiled);
    region_rows_ = rows;
  }
  exchange_->require_same(*added.compiled.program);
  find_events(added);
  find_stops(added);
  fresh_ = true;
  return steps_.emplace(rows, std::move(added)).first->second;
}

void StepEngine::prepare(Dim batch_size) {
  if (steps_.size() > kCachedSteps) forget_steps();
  // What ranks agree on without a message follows from the largest block: which gradients are by rows, and how long
  // those lists can be. A rank without samples learns from it what it takes part in.
  const Dim largest = std::max<Dim>(1, (batch_size + blocks_ - 1) / blocks_);
  const bool by_rows = std::any_of(regions_.begin(), regions_.end(),
                                   [](const auto& region) { return region->kind == Region::Kind::rows; });
  if (by_rows && largest > region_rows_) {
    forget_steps();
    regions_ready_ = false;
  }
  if (steps_.empty()) step(largest);
  for (auto& slot : slots_) {
    const Dim rows = block_samples(batch_size, blocks_, own_blocks_.first + slot->index).size();
    if (rows > 0) prepare_slot(*slot, rows);
  }
  place_buckets(batch_size);
  check_states_of_batch(state_specs_, batch_size);
}

void StepEngine::forget_steps() {
  steps_.clear();
  for (auto& slot : slots_) slot->states.clear();
}

void StepEngine::rebind_variables() {
  for (auto& slot : slots_) {
    for (auto& [rows, state] : slot->states) state.run->bind_variables();
  }
}

void StepEngine::run(const Batch& batch, const Optimizer* optimizer, std::int64_t iteration) {
  const ThreadEnvironment environment;
  prepare(batch.size);
  if (kind_ == StepKind::predict) allocate_predictions(own_samples(batch.size).size());
  const CommunicatorStep step(communicator_, {batch.epoch, kind_ == StepKind::train ? batch.step : -1},
                              std::exchange(fresh_, false));
  run_blocks(batch);
  finish(optimizer, iteration);
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
  std::string text =
      std::string(instruction_set()) + " blocks=" + std::to_string(blocks_) + " batch=" + std::to_string(batch_size);
  for (Dim b = 0; b < blocks_; ++b) {
    const Dim rows = block_samples(batch_size, blocks_, b).size();
    if (rows > 0) text += " " + std::to_string(rows) + ":" + std::to_string(program(rows).hash());
  }
  return XXH3_64bits(text.data(), text.size());
}

}  // namespace strata
