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
      own_blocks_(rank_blocks(blocks_, communicator.size(), communicator.rank())) {
  const int wanted = options.threads > 0 ? options.threads : omp_get_max_threads();
  threads_ = static_cast<int>(std::min<Dim>(wanted, own_blocks_.size()));
  for (const FlatSet& set : state_.trainable()) {
    trainable_.insert(trainable_.end(), set.layout.variables.begin(), set.layout.variables.end());
  }
  for (int t = 0; t < threads_; ++t) streams_.push_back(device_.make_stream());
  for (Dim b = 0; b < own_blocks_.size(); ++b) slots_.push_back(std::make_unique<Slot>(b));
  errors_.resize(static_cast<std::size_t>(threads_));
  arenas_.resize(options_.order == BlockOrder::op_by_op ? slots_.size() : static_cast<std::size_t>(threads_));
}

StepEngine::~StepEngine() = default;

IndexRange StepEngine::own_samples(Dim batch_size) const {
  return rank_samples(batch_size, blocks_, communicator_.size(), communicator_.rank());
}

StepEngine::Step& StepEngine::step(Dim rows) {
  if (const auto found = steps_.find(rows); found != steps_.end()) return found->second;
  Step added{compile_step(kind_, *model_, objective_, data_, rows, trainable_, device_), {}};
  if (!regions_ready_) create_regions(added.compiled);
  find_events(added);
  return steps_.emplace(rows, std::move(added)).first->second;
}

void StepEngine::prepare(Dim batch_size) {
  if (steps_.size() > kCachedSteps) {
    steps_.clear();
    for (auto& slot : slots_) slot->states.clear();
  }
  for (auto& slot : slots_) {
    const Dim rows = block_samples(batch_size, blocks_, own_blocks_.first + slot->index).size();
    if (rows > 0) prepare_slot(*slot, rows);
  }
  // A rank without samples still takes part in the sums, whose sizes it learns from a block of one.
  if (steps_.empty()) step(1);
}

void StepEngine::rebind_variables() {
  for (auto& slot : slots_) {
    for (auto& [rows, state] : slot->states) state.run->bind_variables();
  }
}

void StepEngine::create_regions(const StepProgram& compiled) {
  regions_.clear();  // what an attempt that failed has left
  buckets_.clear();
  sum_specs_ = compiled.sums;
  state_specs_ = compiled.states;
  sums_.assign(sum_specs_.empty() ? 0 : sum_specs_.back().first + sum_specs_.back().count, 0.0);
  const auto blocks = static_cast<std::size_t>(own_blocks_.size());
  const auto add_region = [&](Region::Kind kind, FlatLayout layout, const FlatSet* set) -> Region& {
    regions_.push_back(std::make_unique<Region>(Region{kind, std::move(layout), set, nullptr}));
    Region& region = *regions_.back();
    region.storage = communicator_.allocate(device_, blocks * region.layout.bytes());
    return region;
  };
  if (kind_ == StepKind::train) {
    for (const FlatSet& set : state_.trainable()) add_region(Region::Kind::gradients, set.layout, &set);
    create_gradient_buckets();
  }
  if (!sums_.empty()) {
    const Dim count = static_cast<Dim>((sums_.size() + 7) / 8 * 8);
    add_bucket(add_region(Region::Kind::sums, {Dtype::float64, {}, {}, count}, nullptr), 0, count);
  }
  std::vector<Variable> states;
  for (const StateSpec& spec : state_specs_) states.push_back(spec.variable);
  for (FlatLayout& layout : make_layouts(states)) {
    const Dim count = layout.elements;
    add_bucket(add_region(Region::Kind::states, std::move(layout), nullptr), 0, count);
  }
  for (auto& slot : slots_) {
    for (std::size_t b = 0; b < buckets_.size(); ++b) slot->ready.push_back(device_.make_event());
  }
  regions_ready_ = true;
}

// Gradients become ready from the last variable to the first, roughly: buckets are cut from the end of each buffer.
void StepEngine::create_gradient_buckets() {
  for (const auto& region : regions_) {
    const FlatLayout& layout = region->layout;
    const Dim wanted =
        communicator_.size() == 1 ? layout.elements : static_cast<Dim>(options_.bucket_bytes / size_of(layout.dtype));
    Dim end = layout.elements;
    for (std::size_t v = layout.variables.size(); v-- > 0;) {
      const Dim begin = layout.offsets[v];
      if (end - begin < wanted && v > 0) continue;
      add_bucket(*region, begin, end - begin);
      end = begin;
    }
  }
}

void StepEngine::add_bucket(Region& region, Dim first, Dim count) {
  auto bucket = std::make_unique<Bucket>(region, first, count);
  for (Dim b = 0; b < own_blocks_.size(); ++b) bucket->partials.push_back(region.at(b, first));
  bucket->sum = communicator_.prepare_block_sum(device_, {region.layout.dtype, count, blocks_, bucket->partials});
  buckets_.push_back(std::move(bucket));
}

void StepEngine::find_events(Step& step) const {
  const StepProgram& compiled = step.compiled;
  const auto after = [&](int output) { return compiled.program->ready_after(output); };
  for (std::size_t b = 0; b < buckets_.size(); ++b) {
    const Bucket& bucket = *buckets_[b];
    std::size_t ready = 0;
    if (bucket.region.kind == Region::Kind::gradients) {
      int output = compiled.first_sum;
      for (const auto& region : regions_) {
        for (std::size_t v = 0; region->kind == Region::Kind::gradients && v < region->layout.offsets.size(); ++v) {
          --output;
          const Dim at = region->layout.offsets[v];
          const bool inside = region.get() == &bucket.region && at >= bucket.first && at < bucket.first + bucket.count;
          if (inside) ready = std::max(ready, after(output));
        }
      }
    } else {
      for (int i = compiled.first_sum; i < compiled.first_prediction; ++i) ready = std::max(ready, after(i));
    }
    step.events.push_back({ready, b});
  }
  std::stable_sort(step.events.begin(), step.events.end(),
                   [](const BucketReady& a, const BucketReady& b) { return a.instruction < b.instruction; });
}

void StepEngine::prepare_slot(Slot& slot, Dim rows) {
  if (slot.states.contains(rows)) return;
  const StepProgram& compiled = step(rows).compiled;
  auto& arena = arenas_[options_.order == BlockOrder::op_by_op ? static_cast<std::size_t>(slot.index)
                                                               : static_cast<std::size_t>(slot.index % threads_)];
  if (arena == nullptr || arena->bytes() < compiled.program->arena_bytes()) {
    arena = std::make_shared<Storage>(device_, compiled.program->arena_bytes());
  }
  SlotState state;
  state.run = std::make_unique<RunState>(compiled.program, arena);
  const auto& inputs = compiled.program->inputs();
  for (int i = 0; i < compiled.random_state; ++i) {
    const std::size_t bytes = inputs[static_cast<std::size_t>(i)].bytes();
    state.data.push_back(std::make_shared<Storage>(device_, bytes));
    if (!device_.host_accessible()) state.staging.emplace_back(bytes);
  }
  state.numbers = std::make_shared<Storage>(device_, sizeof(StepNumbers));
  const std::byte* numbers = state.numbers->data();
  state.run->bind_input(compiled.random_state, numbers + offsetof(StepNumbers, random_state));
  state.run->bind_input(compiled.batch_samples, numbers + offsetof(StepNumbers, batch_samples));
  state.run->bind_input(compiled.block_samples, numbers + offsetof(StepNumbers, block_samples));
  bind_outputs(slot, compiled, *state.run);
  slot.states.emplace(rows, std::move(state));
}

void StepEngine::bind_outputs(const Slot& slot, const StepProgram& compiled, RunState& state) const {
  int gradient = compiled.first_sum;  // the last variable's comes first
  for (const auto& region : regions_) {
    if (region->kind == Region::Kind::gradients) {
      for (Dim offset : region->layout.offsets) state.bind_output(--gradient, region->at(slot.index, offset));
    } else if (region->kind == Region::Kind::sums) {
      for (std::size_t i = 0; i < sum_specs_.size(); ++i) {
        state.bind_output(compiled.first_sum + static_cast<int>(i),
                          region->at(slot.index, static_cast<Dim>(sum_specs_[i].first)));
      }
    } else {
      for (std::size_t v = 0; v < region->layout.variables.size(); ++v) {
        const auto spec = std::find_if(state_specs_.begin(), state_specs_.end(),
                                       [&](const StateSpec& s) { return s.variable == region->layout.variables[v]; });
        state.bind_output(compiled.first_state + static_cast<int>(spec - state_specs_.begin()),
                          region->at(slot.index, region->layout.offsets[v]));
      }
    }
  }
}

// Rows that stand in order in host memory are read where they are; others are gathered.
void StepEngine::load(Slot& slot, const Batch& batch, IndexRange samples, Stream& stream) {
  SlotState& state = slot.states.at(samples.size());
  for (std::size_t i = 0; i < batch.arrays.size(); ++i) {
    const HostArray& array = batch.arrays[i];
    const std::size_t bytes = array.row_bytes();
    const std::byte* source = array.row(batch.order == nullptr ? batch.first + samples.first : 0);
    const bool in_order = batch.order == nullptr;
    std::byte* target = device_.host_accessible() ? state.data[i]->data() : state.staging[i].data();
    for (Dim r = 0; !in_order && r < samples.size(); ++r) {
      const Dim row = (*batch.order)(batch.first + samples.first + r);
      std::memcpy(target + static_cast<std::size_t>(r) * bytes, array.row(row), bytes);
    }
    if (device_.host_accessible()) {
      state.run->bind_input(static_cast<int>(i), in_order ? source : target);
    } else {
      device_.copy_from_host(state.data[i]->data(), in_order ? source : target, state.data[i]->bytes(), stream);
      state.run->bind_input(static_cast<int>(i), state.data[i]->data());
    }
  }
  state.host_numbers = {{batch.seed, batch.step, batch.sample_base + samples.first},
                        static_cast<double>(batch.size),
                        static_cast<double>(samples.size())};
  device_.copy_from_host(state.numbers->data(), &state.host_numbers, sizeof(StepNumbers), stream);
}

void StepEngine::run(const Batch& batch, const Optimizer* optimizer, std::int64_t iteration) {
  const ThreadEnvironment environment;
  prepare(batch.size);
  if (kind_ == StepKind::predict) allocate_predictions(own_samples(batch.size).size());
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

void StepEngine::bind_predictions(Slot& slot, const Batch& batch, IndexRange samples) {
  const StepProgram& compiled = steps_.at(samples.size()).compiled;
  const Dim first = samples.first - own_samples(batch.size).first;
  for (std::size_t k = 0; k < predictions_.size(); ++k) {
    const int output = compiled.first_prediction + static_cast<int>(k);
    const std::size_t bytes = row_bytes(compiled.program->outputs()[static_cast<std::size_t>(output)]);
    slot.states.at(samples.size())
        .run->bind_output(output, predictions_[k]->data() + static_cast<std::size_t>(first) * bytes);
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

void StepEngine::run_blocks(const Batch& batch) {
  started_ = 0;
  for (auto& bucket : buckets_) bucket->blocks_done.store(0, std::memory_order_relaxed);
  if (threads_ == 1) return run_thread(0, batch);
  std::fill(errors_.begin(), errors_.end(), nullptr);
#pragma omp parallel num_threads(threads_)
  {
    for (int t = omp_get_thread_num(); t < threads_; t += omp_get_num_threads()) {
      try {
        run_thread(t, batch);
      } catch (...) {
        errors_[static_cast<std::size_t>(t)] = std::current_exception();
      }
    }
  }
  for (const auto& error : errors_) {
    if (error) std::rethrow_exception(error);
  }
}

void StepEngine::run_thread(int thread, const Batch& batch) {
  const ThreadEnvironment environment;
  Stream& stream = *streams_[static_cast<std::size_t>(thread)];
  const auto stride = static_cast<std::size_t>(threads_);
  std::size_t longest = 0;
  for (std::size_t s = static_cast<std::size_t>(thread); s < slots_.size(); s += stride) {
    Slot& slot = *slots_[s];
    const IndexRange samples = block_samples(batch.size, blocks_, own_blocks_.first + slot.index);
    slot.begin(nullptr, nullptr);
    if (samples.size() == 0) {
      skip_slot(slot, stream);
      continue;
    }
    SlotState& state = slot.states.at(samples.size());
    load(slot, batch, samples, stream);
    if (kind_ == StepKind::predict) bind_predictions(slot, batch, samples);
    slot.begin(state.run.get(), &steps_.at(samples.size()).events);
    longest = std::max(longest, state.run->program().instruction_count());
    if (options_.order == BlockOrder::block_by_block) run_to_end(slot, thread == 0, stream);
  }
  if (options_.order == BlockOrder::op_by_op) {
    for (std::size_t i = 0; i < longest; ++i) {
      for (std::size_t s = static_cast<std::size_t>(thread); s < slots_.size(); s += stride) {
        if (slots_[s]->has(i)) run_instruction(*slots_[s], i, thread == 0, stream);
      }
    }
  }
  stream.synchronize();
}

void StepEngine::run_to_end(Slot& slot, bool main_thread, Stream& stream) {
  for (std::size_t i = 0; slot.has(i); ++i) run_instruction(slot, i, main_thread, stream);
}

void StepEngine::run_instruction(Slot& slot, std::size_t instruction, bool main_thread, Stream& stream) {
  slot.run->run_instruction(instruction, stream);
  const auto& events = *slot.events;
  while (slot.next_event < events.size() && events[slot.next_event].instruction == instruction) {
    const std::size_t bucket = events[slot.next_event++].bucket;
    slot.ready[bucket]->record(stream);
    buckets_[bucket]->blocks_done.fetch_add(1, std::memory_order_release);
  }
  if (main_thread) advance_buckets();
}

/// An empty block adds nothing: its partial sums are zero.
void StepEngine::skip_slot(Slot& slot, Stream& stream) {
  for (const auto& region : regions_) device_.zero(region->at(slot.index, 0), region->layout.bytes(), stream);
  for (std::size_t b = 0; b < buckets_.size(); ++b) {
    slot.ready[b]->record(stream);
    buckets_[b]->blocks_done.fetch_add(1, std::memory_order_release);
  }
}

// Buckets start strictly in order, on the thread that called run(): every rank then issues the same sequence.
void StepEngine::advance_buckets() {
  const auto complete = [&](std::size_t bucket) {  // on every block, by the device's own word
    return buckets_[bucket]->blocks_done.load(std::memory_order_acquire) == own_blocks_.size() &&
           std::all_of(slots_.begin(), slots_.end(), [&](const auto& slot) { return slot->ready[bucket]->query(); });
  };
  while (started_ < buckets_.size() && complete(started_)) buckets_[started_++]->sum->start();
  if (started_ > 0) communicator_.progress();
}

void StepEngine::finish(const Optimizer* optimizer, std::int64_t iteration) {
  advance_buckets();
  if (optimizer != nullptr) begin_update(*optimizer, iteration);
  for (auto& bucket : buckets_) {
    bucket->sum->wait();
    if (bucket->region.kind == Region::Kind::gradients) update_->bucket_ready(streams_);
    if (bucket->region.kind == Region::Kind::sums) {
      device_.copy_to_host(sums_.data(), bucket->partials[0], sums_.size() * sizeof(double), *streams_[0]);
    }
    if (bucket->region.kind == Region::Kind::states) apply_states(*bucket);
  }
  if (optimizer != nullptr) update_->finish(streams_);
  streams_[0]->synchronize();
}

void StepEngine::begin_update(const Optimizer& optimizer, std::int64_t iteration) {
  if (update_ == nullptr || !update_->is_for(optimizer)) {
    update_ = std::make_unique<OptimizerUpdate>(optimizer, state_, threads_);
    for (const auto& bucket : buckets_) {
      if (bucket->region.kind != Region::Kind::gradients) continue;
      update_->add_bucket(*bucket->region.set, bucket->first, bucket->count, bucket->partials[0]);
    }
  }
  update_->begin(iteration, *streams_[0]);
}

void StepEngine::apply_states(const Bucket& bucket) {
  const FlatLayout& layout = bucket.region.layout;
  for (std::size_t v = 0; v < layout.variables.size(); ++v) {
    const Variable& variable = layout.variables[v];
    const auto spec = std::find_if(state_specs_.begin(), state_specs_.end(),
                                   [&](const StateSpec& s) { return s.variable == variable; });
    void* value = bucket.region.at(0, layout.offsets[v]);
    if (spec->combine == Combine::sum) {
      accumulate(device_, *streams_[0], layout.dtype, variable.buffer().data(), value, variable.shape().elements());
    } else {
      device_.copy(variable.buffer().data(), value, variable.spec().bytes(), *streams_[0]);
    }
  }
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
