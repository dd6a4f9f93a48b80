// SPDX-License-Identifier: Apache-2.0
// One batch in a step engine: the threads of a rank take its blocks through their programs, while the sums over blocks
// start in one order on every rank.
#include <omp.h>

#include <algorithm>

#include "core/base/error.h"
#include "core/base/thread_environment.h"
#include "core/training/step_engine_parts.h"

namespace strata {

// Rows that stand in order in host memory are read where they are; others are gathered.
void StepEngine::load(Slot& slot, const Batch& batch, IndexRange samples, Stream& stream) {
  SlotState& state = slot.states.at(samples.size());
  for (std::size_t i = 0; i < batch.arrays.size(); ++i) {
    const HostArray& array = batch.arrays[i];
    const std::size_t bytes = array.row_bytes();
    const bool in_place = batch.order == nullptr && array.dense();
    std::byte* target = device_.host_accessible() ? state.data[i]->data() : state.staging[i].data();
    for (Dim r = 0; !in_place && r < samples.size(); ++r) {
      const Dim row = batch.first + samples.first + r;
      array.copy_row(batch.order == nullptr ? row : (*batch.order)(row), target + static_cast<std::size_t>(r) * bytes);
    }
    const std::byte* source = in_place ? array.row(batch.first + samples.first) : target;
    if (device_.host_accessible()) {
      state.run->bind_input(static_cast<int>(i), source);
    } else {
      device_.copy_from_host(state.data[i]->data(), source, state.data[i]->bytes(), stream);
      state.run->bind_input(static_cast<int>(i), state.data[i]->data());
    }
  }
  state.host_numbers = {{batch.seed, batch.step, batch.sample_base + samples.first},
                        static_cast<double>(batch.size),
                        static_cast<double>(samples.size()),
                        state_.loss_scale().scale,
                        samples.first};
  device_.copy_from_host(state.numbers->data(), &state.host_numbers, sizeof(StepNumbers), stream);
}

void StepEngine::bind_predictions(Slot& slot, const Batch& batch, IndexRange samples) {
  const StepProgram& compiled = steps_.at(samples.size()).compiled;
  const Dim first = samples.first - own_samples(batch).first;
  for (std::size_t k = 0; k < predictions_.size(); ++k) {
    const int output = compiled.first_prediction + static_cast<int>(k);
    const std::size_t bytes = row_bytes(compiled.program->outputs()[static_cast<std::size_t>(output)]);
    slot.states.at(samples.size())
        .run->bind_output(output, predictions_[k]->data() + static_cast<std::size_t>(first) * bytes);
  }
}

void StepEngine::run_blocks(const Batch& batch) {
  started_ = 0;
  sums_run_ = 0;
  meeting_.reset();
  for (auto& bucket : buckets_) bucket->blocks_done.store(0, std::memory_order_relaxed);
  if (threads_ == 1) return run_thread(0, 1, batch);
  std::fill(errors_.begin(), errors_.end(), nullptr);
#pragma omp parallel num_threads(threads_)
  {
    const int thread = omp_get_thread_num();
    try {
      run_thread(thread, omp_get_num_threads(), batch);
    } catch (...) {
      errors_[static_cast<std::size_t>(thread)] = std::current_exception();
      meeting_.abandon();
    }
  }
  for (const auto& error : errors_) {
    if (error) std::rethrow_exception(error);
  }
}

// There may be fewer threads than were asked for.
template <class F>
void StepEngine::for_nodes_of(int thread, int team, const F& f) {
  for (const auto& node : nodes_) {
    if (node->thread % team == thread) f(*node);
  }
}

template <class F>
void StepEngine::for_slots_of(int thread, int team, const F& f) {
  for_nodes_of(thread, team, [&](const Node& node) {
    for (const auto& slot : slots_of(node)) f(*slot);
  });
}

void StepEngine::run_thread(int thread, int team, const Batch& batch) {
  const ThreadEnvironment environment;
  Stream& stream = *streams_[static_cast<std::size_t>(thread)];
  std::size_t longest = 0;
  for_nodes_of(thread, team, [&](Node& node) {
    begin_node(node, batch, thread, stream);
    for (const auto& slot : slots_of(node)) longest = std::max(longest, slot->end());
    if (!blocks_together()) run_node(node, longest, thread, stream);
  });
  for (std::size_t sum = 0; sum < exchange_->size(); ++sum) {
    if (!run_to_sum(sum, thread, team, stream)) return;
  }
  for (std::size_t end = options_.order == BlockOrder::op_by_op ? 1 : longest; end <= longest; ++end) {
    for_nodes_of(thread, team, [&](Node& node) { run_node(node, end, thread, stream); });
  }
  stream.synchronize();
}

void StepEngine::begin_slot(Slot& slot, const Batch& batch, Stream& stream) {
  const IndexRange samples = blocks_of(batch).samples(own_blocks_.first + slot.index);
  if (samples.size() == 0) {
    slot.begin(nullptr, nullptr);
    return skip_slot(slot, stream);
  }
  load(slot, batch, samples, stream);
  if (kind_ == StepKind::predict) bind_predictions(slot, batch, samples);
  slot.begin(slot.states.at(samples.size()).run.get(), &steps_.at(samples.size()));
}

/// Runs the instructions before `end` that are still to be run.
void StepEngine::run_slot(Slot& slot, std::size_t end, int thread, Stream& stream) {
  if (slot.run == nullptr) return;
  end = std::min(end, slot.end());
  run_part(slot, std::min(end, slot.step->backward), "forward", thread, stream);
  run_part(slot, end, "backward", thread, stream);
}

void StepEngine::run_part(Slot& slot, std::size_t end, const char* name, int thread, Stream& stream) {
  // Where blocks take turns at every instruction there is no more to say than that instruction.
  const bool alone = slot.next + 1 >= end;
  const TimelineSpan span(alone ? nullptr : timeline_, TimelineCategory::compute, thread, name, slot.name);
  while (slot.next < end) {
    run_instruction(slot, thread, stream);
    finish_instruction(slot, stream);
    if (thread == 0) advance_buckets();
  }
}

void StepEngine::run_instruction(Slot& slot, int thread, Stream& stream) {
  const Label& label = slot.step->labels[slot.next];
  const TimelineSpan span(timeline_, TimelineCategory::compute, thread, label.name, label.detail);
  slot.run->run_instruction(slot.next++, stream);
}

/// Takes note of what is complete after the last instruction that was run.
void StepEngine::finish_instruction(Slot& slot, Stream& stream) {
  const auto& events = slot.step->events;
  while (slot.next_event < events.size() && events[slot.next_event].instruction < slot.next) {
    const std::size_t bucket = events[slot.next_event++].bucket;
    slot.ready[bucket]->record(stream);
    buckets_[bucket]->blocks_done.fetch_add(1, std::memory_order_release);
  }
}

// Up to and with one of the sums in the programs, which all blocks pass together. Returns whether to go on: not after
// an error on another thread.
bool StepEngine::run_to_sum(std::size_t sum, int thread, int team, Stream& stream) {
  for_slots_of(thread, team, [&](Slot& slot) {
    if (slot.run == nullptr) return exchange_->put(sum, slot.index, nullptr, stream);
    const std::size_t instruction = slot.run->program().block_sums()[sum].instruction;
    run_slot(slot, instruction, thread, stream);
    run_instruction(slot, thread, stream);
    exchange_->put(sum, slot.index, slot.run->result(instruction), stream);
  });
  stream.synchronize();
  {
    const TimelineSpan span(timeline_, TimelineCategory::wait, thread, "wait",
                            "a sum over the batch in a layer or loss");
    if (!(thread == 0 ? lead_sum(sum, team) : meeting_.attend())) return false;
  }
  for_slots_of(thread, team, [&](Slot& slot) {
    if (slot.run == nullptr) return;
    exchange_->take(sum, slot.run->result(slot.run->program().block_sums()[sum].instruction), stream);
    finish_instruction(slot, stream);
  });
  return true;
}

bool StepEngine::lead_sum(std::size_t sum, int team) {
  if (!meeting_.gather(team - 1, [&] { communicator_.progress(); })) return false;
  advance_buckets();
  if (started_ < buckets_.size() && buckets_[started_]->sums_before <= sum) {
    throw InternalError("StepEngine: a sum of gradients is due before one of a layer, but not complete");
  }
  exchange_->run(sum);
  sums_run_ = sum + 1;
  meeting_.dismiss();
  return true;
}

/// An empty block adds nothing: its partial sums are zero.
void StepEngine::skip_slot(Slot& slot, Stream& stream) {
  for (const auto& region : regions_) {
    const bool rows = region->kind == Region::Kind::rows;
    device_.zero(region->block(slot.index), rows ? sizeof(std::int64_t) : region->block_bytes(), stream);
  }
  for (std::size_t b = 0; b < buckets_.size(); ++b) {
    slot.ready[b]->record(stream);
    buckets_[b]->blocks_done.fetch_add(1, std::memory_order_release);
  }
}

// Sums start in one order on every rank, on the thread that called run(): buckets one after the other, each between the
// sums of the programs where its place is (place_buckets), whether or not this rank has samples.
void StepEngine::advance_buckets() {
  const auto complete = [&](std::size_t bucket) {  // on every block, by the device's own word
    return buckets_[bucket]->blocks_done.load(std::memory_order_acquire) == own_blocks_.size() &&
           std::all_of(slots_.begin(), slots_.end(), [&](const auto& slot) { return slot->ready[bucket]->query(); });
  };
  while (started_ < buckets_.size() && buckets_[started_]->sums_before <= sums_run_ && complete(started_)) {
    add_up(*buckets_[started_]);
    buckets_[started_++]->sum->start();
  }
  if (started_ > 0) communicator_.progress();
}

void StepEngine::finish(const Optimizer* optimizer, std::int64_t iteration, bool finite_only) {
  advance_buckets();
  if (optimizer != nullptr) begin_update(*optimizer, iteration, finite_only);
  const UpdateTeam team(streams_, [this] { communicator_.progress(); });  // of the buckets that are still under way
  for (auto& bucket : buckets_) {
    {
      const TimelineSpan span(timeline_, TimelineCategory::wait, 0, "wait", bucket->name);
      bucket->sum->wait();
    }
    const TimelineSpan span(timeline_, TimelineCategory::update, 0, "update", bucket->name);
    if (optimizer != nullptr && bucket->region.updates_variables()) update_->bucket_ready(team);
    if (bucket->region.kind == Region::Kind::sums) {
      device_.copy_to_host(sums_.data(), bucket->partials[0], sums_.size() * sizeof(double), *streams_[0]);
    }
  }
  const TimelineSpan span(timeline_, TimelineCategory::update, 0, "update");
  if (optimizer != nullptr) update_->finish(team);
  left_out_ = finite_only && optimizer != nullptr && update_->left_out();
  if (left_out_) forget_rounding_errors();
  for (auto& bucket : buckets_) {
    if (bucket->region.kind == Region::Kind::states && !left_out_) apply_states(*bucket);
  }
  streams_[0]->synchronize();
}

void StepEngine::begin_update(const Optimizer& optimizer, std::int64_t iteration, bool finite_only) {
  if (options_.own_gradients && OptimizerUpdate::needs_all_gradients(optimizer, finite_only)) {
    throw InternalError("StepEngine: a step that needs all gradients on an engine that does not sum them");
  }
  if (update_ == nullptr || !update_->is_for(optimizer, finite_only)) {
    update_ = std::make_unique<OptimizerUpdate>(optimizer, state_, threads_, finite_only);
    for (const auto& bucket : buckets_) {
      const Region& region = bucket->region;
      if (!region.updates_variables()) continue;
      const Dim first = region.set_offset + bucket->first;
      if (region.kind == Region::Kind::rows) {
        update_->add_rows(*region.set, first, region.row_layout, bucket->partials[0], bucket->name);
      } else {
        update_->add_bucket(*region.set, first, bucket->count, bucket->partials[0], bucket->name);
      }
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
    variable.keep_reads();
    void* value = bucket.region.at(0, layout.offsets[v]);
    if (spec->combine == Combine::sum) {
      accumulate(device_, *streams_[0], layout.dtype, variable.buffer().data(), value, variable.shape().elements());
    } else {
      device_.copy(variable.buffer().data(), value, variable.spec().bytes(), *streams_[0]);
    }
  }
}

}  // namespace strata
