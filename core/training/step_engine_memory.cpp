// SPDX-License-Identifier: Apache-2.0
// The memory of a step engine: what is summed over blocks, and what the program of each block is bound to.
#include <algorithm>

#include "core/training/block_nodes.h"
#include "core/training/step_engine_parts.h"

namespace strata {
namespace {

constexpr std::size_t kLeastPart = std::size_t{2} << 20;  // bytes of a variable that make a bucket of their own

}  // namespace

void StepEngine::create_regions(const StepProgram& compiled) {
  update_.reset();
  buckets_.clear();  // also what an attempt that failed has left
  regions_.clear();
  sum_specs_ = compiled.sums;
  state_specs_ = compiled.states;
  sums_.assign(sum_specs_.empty() ? 0 : sum_specs_.back().first + sum_specs_.back().count, 0.0);
  if (kind_ == StepKind::train) {
    create_gradient_regions(compiled);
    create_gradient_buckets();
  }
  if (!sums_.empty()) {
    const Dim count = static_cast<Dim>((sums_.size() + 7) / 8 * 8);
    add_bucket(add_region({Region::Kind::sums, {Dtype::float64, {}, {}, count}}), 0, count);
  }
  std::vector<Variable> states;
  for (const StateSpec& spec : state_specs_) states.push_back(spec.variable);
  for (FlatLayout& layout : make_layouts(states)) {
    const Dim count = layout.elements;
    add_bucket(add_region({Region::Kind::states, std::move(layout)}), 0, count);
  }
  for (auto& slot : slots_) {
    slot->ready.clear();
    for (std::size_t b = 0; b < buckets_.size(); ++b) slot->ready.push_back(device_.make_event());
  }
  exchange_ = std::make_unique<BlockExchange>(*compiled.program, blocks_, device_, communicator_);
  regions_ready_ = true;
}

StepEngine::Region& StepEngine::add_region(Region region) {
  region.of_leaf = region.kind == Region::Kind::rows ? 1 : of_leaf_;
  const Dim own = own_blocks_.size(), leaves = leaf_count(own, region.of_leaf);
  region.leaves = communicator_.allocate(device_, static_cast<std::size_t>(leaves) * region.block_bytes());
  region.others = std::make_shared<Storage>(device_, static_cast<std::size_t>(own - leaves) * region.block_bytes());
  for (Dim b = 0; b < own; ++b) {
    if (b % region.of_leaf != 0) zero_between_variables(region, b);
  }
  regions_.push_back(std::make_unique<Region>(std::move(region)));
  return *regions_.back();
}

// The rest is not touched, so that what a block never writes costs no memory.
void StepEngine::zero_between_variables(const Region& region, Dim b) {
  const FlatLayout& layout = region.layout;
  Dim end = 0;
  for (std::size_t v = 0; v <= layout.offsets.size(); ++v) {
    const bool last = v == layout.offsets.size();
    const Dim next = last ? layout.elements : layout.offsets[v];
    device_.zero(region.at(b, end), static_cast<std::size_t>(next - end) * size_of(layout.dtype), *streams_[0]);
    if (!last) end = next + layout.variables[v].shape().elements();
  }
}

// Gradients by rows stay outside of the flat buffers, which are cut there.
void StepEngine::create_gradient_regions(const StepProgram& compiled) {
  std::size_t first = 0;  // of the set, among all variables
  for (const FlatSet& set : state_.trainable()) {
    const std::size_t count = set.layout.variables.size();
    for (std::size_t v = 0, end = 0; v < count; v = end) {
      const GradientOutput& gradient = compiled.gradients[first + v];
      end = v + 1;
      while (!gradient.by_rows && end < count && !compiled.gradients[first + end].by_rows) ++end;
      Region region{Region::Kind::gradients, set.layout.part(v, end), &set, set.layout.offsets[v], first + v};
      if (gradient.by_rows) {
        const Shape& shape = set.layout.variables[v].shape();
        const Dim most = std::min(gradient.ids * blocks_, shape[0]);
        const Dim chunks = (most + RowLayout::kChunk - 1) / RowLayout::kChunk;
        region.kind = Region::Kind::rows;
        region.row_layout = {set.layout.dtype, shape.slice(1, shape.rank()).elements(), chunks * RowLayout::kChunk};
      }
      add_region(std::move(region));
    }
    first += count;
  }
}

// Lists of rows are worth their while as long as they are shorter than the variable. What is chosen does not change the
// bits of the sum.
bool StepEngine::chooses_rows(std::size_t variable, Dim ids) const {
  if (!regions_ready_) return 2 * ids * blocks_ <= trainable_[variable].shape()[0];
  return std::any_of(regions_.begin(), regions_.end(), [&](const auto& region) {
    return region->kind == Region::Kind::rows && region->first_variable == variable;
  });
}

// Gradients become ready from the last variable to the first, roughly: so are buckets cut.
void StepEngine::create_gradient_buckets() {
  for (auto region = regions_.rbegin(); region != regions_.rend(); ++region) {
    if ((*region)->kind == Region::Kind::rows) {
      add_rows(**region);
      continue;
    }
    const FlatLayout& layout = (*region)->layout;
    const Dim wanted =
        communicator_.size() == 1 ? layout.elements : static_cast<Dim>(options_.bucket_bytes / size_of(layout.dtype));
    Dim end = layout.elements;
    for (std::size_t v = layout.variables.size(); v-- > 0;) {
      const Dim begin = layout.offsets[v];
      if (end - begin < wanted && v > 0) continue;
      // Parts of a large variable: what has been summed is updated before it leaves the caches.
      const Dim part = std::max(wanted, static_cast<Dim>(kLeastPart / size_of(layout.dtype)));
      for (; end - begin >= 2 * part; end -= part) add_bucket(**region, end - part, part);
      add_bucket(**region, begin, end - begin);
      end = begin;
    }
  }
}

/// "the gradients of dense_kernel, dense_bias".
std::string StepEngine::describe(const Bucket& bucket) {
  const Region& region = bucket.region;
  if (!region.updates_variables()) return region.kind == Region::Kind::sums ? "losses and metrics" : "layer states";
  std::string text = "the gradients of ";
  bool first = true;
  for (std::size_t v = 0; v < region.layout.offsets.size(); ++v) {
    if (!bucket.holds_some_of(v)) continue;
    text += (std::exchange(first, false) ? "" : ", ") + region.layout.variables[v].path();
  }
  return text;
}

void StepEngine::add_bucket(Region& region, Dim first, Dim count) {
  auto bucket = std::make_unique<Bucket>(region, first, count);
  bucket->name = describe(*bucket);
  for (Dim b = 0; b < own_blocks_.size(); b += of_leaf_) bucket->partials.push_back(region.at(b, first));
  const bool compress = options_.compress && region.updates_variables() && region.layout.dtype == Dtype::float32;
  BlockSumSpec spec{
      region.layout.dtype, count, leaf_count(blocks_, of_leaf_), bucket->partials, bucket->name, compress, {}};
  if (options_.own_gradients && region.kind == Region::Kind::gradients && region.set->sharded()) {
    spec.shares = region.set->shares.part({region.set_offset + first, region.set_offset + first + count});
  }
  bucket->sum = communicator_.prepare_block_sum(device_, spec);
  buckets_.push_back(std::move(bucket));
}

void StepEngine::add_rows(Region& region) {
  auto bucket = std::make_unique<Bucket>(region, 0, region.layout.elements);
  bucket->name = describe(*bucket);
  for (Dim b = 0; b < own_blocks_.size(); ++b) bucket->partials.push_back(region.block(b));
  bucket->sum = communicator_.prepare_row_sum(device_, {region.row_layout, blocks_, bucket->partials, bucket->name});
  buckets_.push_back(std::move(bucket));
}

void StepEngine::find_events(Step& step) const {
  const StepProgram& compiled = step.compiled;
  const auto after = [&](int output) { return compiled.program->ready_after(output); };
  for (std::size_t b = 0; b < buckets_.size(); ++b) {
    const Bucket& bucket = *buckets_[b];
    std::size_t ready = 0;
    if (bucket.region.updates_variables()) {
      const FlatLayout& layout = bucket.region.layout;
      for (std::size_t v = 0; v < layout.offsets.size(); ++v) {
        if (!bucket.holds_some_of(v)) continue;
        const GradientOutput& gradient = compiled.gradients[bucket.region.first_variable + v];
        const int parts = gradient.by_rows ? 3 : 1;
        for (int part = 0; part < parts; ++part) ready = std::max(ready, after(gradient.first + part));
      }
    } else {
      for (int i = compiled.first_sum; i < compiled.first_prediction; ++i) ready = std::max(ready, after(i));
    }
    step.events.push_back({ready, b});
  }
  std::stable_sort(step.events.begin(), step.events.end(),
                   [](const BucketReady& a, const BucketReady& b) { return a.instruction < b.instruction; });
}

void StepEngine::label_instructions(Step& step) {
  for (const std::string& text : step.compiled.program->kernel_list()) {
    const std::size_t end = std::min(text.find(' '), text.size());
    step.labels.push_back({text.substr(0, end), text.substr(std::min(end + 1, text.size()))});
  }
  step.backward = step.labels.size();
  for (const GradientOutput& gradient : step.compiled.gradients) {
    step.backward = std::min(step.backward, step.compiled.program->ready_after(gradient.first));
  }
}

// A bucket is complete on a rank once its blocks have run so many of the sums in their programs. The programs of a
// batch may differ in that, and a rank may have none of them: the place of a bucket among those sums follows from all
// of them. Of blocks at limits a rank knows its own program only: there every bucket comes after the last of those
// sums, where it is complete whatever the program.
void StepEngine::place_buckets(const BatchBlocks& blocks) {
  for (auto& bucket : buckets_) bucket->sums_before = blocks.even() ? 0 : exchange_->size();
  if (exchange_->size() == 0 || !blocks.even()) return;
  for (const Dim rows : {blocks.size() / blocks_, blocks.largest()}) {
    if (rows == 0) continue;
    const Step& of_size = step(rows);
    const auto& sums = of_size.compiled.program->block_sums();
    for (const BucketReady& event : of_size.events) {
      const auto before = std::count_if(
          sums.begin(), sums.end(), [&](const BlockSumPoint& point) { return point.instruction <= event.instruction; });
      std::size_t& place = buckets_[event.bucket]->sums_before;
      place = std::max(place, static_cast<std::size_t>(before));
    }
  }
  for (std::size_t b = 1; b < buckets_.size(); ++b) {
    buckets_[b]->sums_before = std::max(buckets_[b]->sums_before, buckets_[b - 1]->sums_before);
  }
}

bool StepEngine::blocks_together() const { return exchange_->size() > 0 || options_.order == BlockOrder::op_by_op; }

void StepEngine::prepare_slot(Slot& slot, Dim rows) {
  if (slot.states.contains(rows)) return;
  const Step& of_size = step(rows);
  const StepProgram& compiled = of_size.compiled;
  const std::size_t own_or_shared = of_size.stops.empty() ? slot.thread_arena : slot.own_arena;
  auto& arena = arenas_[blocks_together() ? static_cast<std::size_t>(slot.index) : own_or_shared];
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
  state.run->bind_input(compiled.loss_scale, numbers + offsetof(StepNumbers, loss_scale));
  state.run->bind_input(compiled.first_row, numbers + offsetof(StepNumbers, first_row));
  bind_outputs(slot, compiled, *state.run);
  slot.states.emplace(rows, std::move(state));
}

void StepEngine::bind_outputs(const Slot& slot, const StepProgram& compiled, RunState& state) const {
  for (const auto& region : regions_) {
    if (region->kind == Region::Kind::gradients) {
      for (std::size_t v = 0; v < region->layout.offsets.size(); ++v) {
        state.bind_output(compiled.gradients[region->first_variable + v].first,
                          region->at(slot.index, region->layout.offsets[v]));
      }
    } else if (region->kind == Region::Kind::rows) {
      const int first = compiled.gradients[region->first_variable].first;
      std::byte* list = region->block(slot.index);
      state.bind_output(first, RowLayout::ids(list));
      state.bind_output(first + 1, region->row_layout.row(list, 0));
      state.bind_output(first + 2, &RowLayout::count(list));
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

}  // namespace strata
