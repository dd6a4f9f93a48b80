// SPDX-License-Identifier: Apache-2.0
// The blocks of a thread that make a node of the tree over blocks: they go through their programs together, and what
// they add up is added while it is in the cache.
#include <algorithm>
#include <array>
#include <map>

#include "core/program/block_tree.h"
#include "core/training/block_nodes.h"
#include "core/training/step_engine_parts.h"

namespace strata {

// Threads own runs of blocks, as ranks do.
void StepEngine::make_nodes() {
  const Dim most =
      options_.order == BlockOrder::block_by_block ? 1 : std::min(of_leaf_, static_cast<Dim>(BlockKernel::kMostBlocks));
  for (int thread = 0; thread < threads_; ++thread) {
    const IndexRange own = rank_blocks(own_blocks_.size(), threads_, thread);
    for (const IndexRange& range : cut_into_nodes(own, most)) {
      nodes_.push_back(std::make_unique<Node>(range, thread));
      for (Dim s = range.first; s < range.last; ++s) {
        Slot& slot = *slots_[static_cast<std::size_t>(s)];
        slot.node = nodes_.back().get();
        slot.own_arena = static_cast<std::size_t>(own.first + s - range.first);
        slot.thread_arena = static_cast<std::size_t>(own.first);
      }
    }
  }
}

void StepEngine::find_stops(Step& step) const {
  const Program& program = *step.compiled.program;
  std::map<std::size_t, Stop> stops;
  std::size_t common = 0;  // bytes that blocks which go together read or write once
  const auto stop = [&](std::size_t instruction) -> Stop& {
    return stops.try_emplace(instruction, Stop{instruction, false, {}}).first->second;
  };
  for (std::size_t i = 0; i < program.instruction_count(); ++i) {
    const BlockKernel* kernel = program.block_kernel(i);
    if (kernel == nullptr || kernel->adds()) continue;
    stop(i).together = true;
    common += kernel->common_bytes();
  }
  for (const auto& region : regions_) {
    if (region->kind != Region::Kind::gradients) continue;
    for (std::size_t v = 0; v < region->layout.offsets.size(); ++v) {
      const int output = step.compiled.gradients[region->first_variable + v].first;
      const std::size_t computed = program.computed_by(output), ready = program.ready_after(output);
      const BlockKernel* kernel = program.block_kernel(computed);
      if (kernel != nullptr && kernel->adds() && ready == computed) {
        stop(computed).together = true;
        common += kernel->common_bytes();
      } else {
        stop(ready).gradients.push_back(
            {region.get(),
             {region->layout.offsets[v], region->layout.offsets[v] + region->layout.variables[v].shape().elements()}});
      }
    }
  }
  if (common <= program.arena_bytes()) return;
  for (auto& [instruction, found] : stops) step.stops.push_back(std::move(found));
}

std::span<const std::unique_ptr<StepEngine::Slot>> StepEngine::slots_of(const Node& node) const {
  return std::span(slots_).subspan(static_cast<std::size_t>(node.slots.first),
                                   static_cast<std::size_t>(node.slots.size()));
}

// Blocks go together when they run one program. At sums in their programs all blocks of all ranks meet anyway.
void StepEngine::begin_node(Node& node, const Batch& batch, Stream& stream) {
  const auto slots = slots_of(node);
  for (const auto& slot : slots) begin_slot(*slot, batch, stream);
  const RunState* first = slots[0]->run;
  const bool together = slots.size() > 1 && first != nullptr && !slots[0]->stops->empty() && exchange_->size() == 0 &&
                        std::all_of(slots.begin(), slots.end(), [&](const auto& slot) {
                          return slot->run != nullptr && &slot->run->program() == &first->program();
                        });
  node.stops = together ? slots[0]->stops : nullptr;
  node.next_stop = 0;
}

/// Runs the instructions before `end` that are still to be run.
void StepEngine::run_node(Node& node, std::size_t end, bool lead, Stream& stream) {
  const auto slots = slots_of(node);
  while (node.stops != nullptr && node.next_stop < node.stops->size()) {
    const Stop& stop = (*node.stops)[node.next_stop];
    if (stop.instruction >= end) break;
    for (const auto& slot : slots) run_slot(*slot, stop.instruction, lead, stream);
    run_stop(node, stop, stream);
    ++node.next_stop;
    if (lead) advance_buckets();
  }
  for (const auto& slot : slots) run_slot(*slot, end, lead, stream);
}

/// Adds the partials of `blocks` in the tree, piece by piece so that they are read once. `added(block)` blocks from one
/// on are one node already.
template <class F>
void StepEngine::add_blocks(const Region& region, IndexRange elements, IndexRange blocks, Stream& stream,
                            const F& added) const {
  constexpr Dim kPiece = 16 * 1024;  // elements
  for (Dim at = elements.first; at < elements.last; at += kPiece) {
    const Dim count = std::min(kPiece, elements.last - at);
    for_each_tree_sum(static_cast<std::size_t>(blocks.size()), [&](std::size_t to, std::size_t from) {
      const Dim block = blocks.first + static_cast<Dim>(to), half = static_cast<Dim>(from - to);
      if (2 * half <= added(block)) return;
      accumulate(device_, stream, region.layout.dtype, region.at(block, at), region.at(block + half, at), count);
    });
  }
}

void StepEngine::run_stop(const Node& node, const Stop& stop, Stream& stream) {
  const auto slots = slots_of(node);
  if (stop.together) {
    std::array<RunState*, BlockKernel::kMostBlocks> runs{};
    std::transform(slots.begin(), slots.end(), runs.begin(), [](const auto& slot) { return slot->run; });
    RunState::run_blocks(stop.instruction, {runs.data(), slots.size()}, stream);
  } else {
    for (const auto& slot : slots) slot->run->run_instruction(stop.instruction, stream);
  }
  for (const Stop::Gradient& gradient : stop.gradients) {
    add_blocks(*gradient.region, gradient.elements, node.slots, stream, [](Dim) { return 1; });
  }
  for (const auto& slot : slots) {
    ++slot->next;
    finish_instruction(*slot, stream);
  }
}

/// Of a bucket that is complete on this rank: what the tree adds within its leaves and nodes have not.
void StepEngine::add_up(const Bucket& bucket) {
  const Region& region = bucket.region;
  if (region.kind == Region::Kind::rows) return;
  const auto added = [&](Dim block) {
    return region.kind == Region::Kind::gradients ? slots_[static_cast<std::size_t>(block)]->node->added() : 1;
  };
  for (Dim b = 0; b < own_blocks_.size(); b += of_leaf_) {
    const IndexRange leaf{b, std::min(b + of_leaf_, own_blocks_.size())};
    add_blocks(region, {bucket.first, bucket.first + bucket.count}, leaf, *streams_[0], added);
  }
  streams_[0]->synchronize();  // ranks read it by other ways than this stream
}

}  // namespace strata
