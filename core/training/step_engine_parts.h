// SPDX-License-Identifier: Apache-2.0
// Internal to StepEngine: the memory that is summed over blocks, and what belongs to each block of this rank.
#pragma once

#include <algorithm>
#include <atomic>

#include "core/training/step_engine.h"

namespace strata {

/// Memory summed over all blocks: one partial a block of this rank, all with one layout.
struct StepEngine::Region {
  enum class Kind { gradients, rows, sums, states };
  Kind kind;
  FlatLayout layout;               // of rows: the variable alone
  const FlatSet* set = nullptr;    // of gradients and rows: the set of their variables,
  Dim set_offset = 0;              // the element of it where they begin,
  std::size_t first_variable = 0;  // the place of the first among all trainable ones
  RowLayout row_layout = {};       // of rows
  Dim of_leaf = 1;                 // blocks that are added up on their first one's memory before ranks take part
  std::shared_ptr<Storage> leaves = nullptr;  // what ranks sum
  std::shared_ptr<Storage> others = nullptr;  // of the other blocks; untouched where nothing is written

  bool updates_variables() const { return kind == Kind::gradients || kind == Kind::rows; }
  std::size_t block_bytes() const { return kind == Kind::rows ? row_layout.bytes() : layout.bytes(); }
  std::byte* block(Dim b) const {
    const Dim leaf = b / of_leaf, place = b % of_leaf;
    return place == 0 ? leaves->data() + static_cast<std::size_t>(leaf) * block_bytes()
                      : others->data() + static_cast<std::size_t>(leaf * (of_leaf - 1) + place - 1) * block_bytes();
  }
  /// Not of rows.
  std::byte* at(Dim b, Dim element) const {
    return block(b) + static_cast<std::size_t>(element) * size_of(layout.dtype);
  }
};

/// A range of a region that is summed in one go.
struct StepEngine::Bucket {
  Bucket(const Region& of, Dim from, Dim size) : region(of), first(from), count(size) {}

  /// Of gradients: whether elements of the region's v-th variable are in it, or the place of one without elements.
  bool holds_some_of(std::size_t v) const {
    const Dim begin = region.layout.offsets[v];
    const Dim elements = std::max<Dim>(region.layout.variables[v].shape().elements(), 1);
    return begin < first + count && begin + elements > first;
  }

  const Region& region;
  Dim first;
  Dim count;
  std::string name;             // what it holds: "the gradients of dense_kernel"
  std::vector<void*> partials;  // one a leaf of this rank; of rows one a block
  std::unique_ptr<PreparedCollective> sum;
  std::size_t sums_before = 0;  // of those in the programs: this one starts after so many of them
  std::atomic<Dim> blocks_done{0};
};

/// What the host tells a block each step, as it lies on the device.
struct StepNumbers {
  std::int64_t random_state[3];
  double batch_samples;
  double block_samples;
  double loss_scale;
  std::int64_t first_row;
};

/// One block size of one block: its bindings and input buffers.
struct SlotState {
  std::unique_ptr<RunState> run;
  std::vector<std::shared_ptr<Storage>> data;   // one an array of the batch
  std::vector<std::vector<std::byte>> staging;  // likewise, when the host cannot write `data`
  std::shared_ptr<Storage> numbers;
  StepNumbers host_numbers{};
};

/// One block of this rank.
struct StepEngine::Slot {
  Slot(Dim i, Dim block) : index(i), name("block " + std::to_string(block)) {}

  /// Null when the block is empty.
  void begin(RunState* state, const Step* of_size) {
    run = state;
    step = of_size;
    next = 0;
    next_event = 0;
  }
  std::size_t end() const { return run == nullptr ? 0 : run->program().instruction_count(); }

  Dim index;         // within this rank
  std::string name;  // "block 3", of all ranks'
  const Node* node = nullptr;
  std::size_t own_arena = 0;  // among the blocks of a node; blocks that go alone use their thread's first
  std::size_t thread_arena = 0;
  std::map<Dim, SlotState> states;            // by rows
  std::vector<std::unique_ptr<Event>> ready;  // of every bucket: this block's part is computed
  RunState* run = nullptr;                    // of the current batch; null when the block is empty
  const Step* step = nullptr;
  std::size_t next = 0;  // instruction
  std::size_t next_event = 0;
};

/// Where the blocks of a node wait for each other.
struct StepEngine::Stop {
  struct Gradient {
    const Region* region;
    IndexRange elements;
  };

  std::size_t instruction;
  bool together = false;            // it has a kernel that runs it for all of them
  std::vector<Gradient> gradients;  // to be added up after it
};

/// Consecutive blocks of one thread: a node of the tree over blocks.
struct StepEngine::Node {
  IndexRange slots;
  int thread;
  const std::vector<Stop>* stops = nullptr;  // of the current batch; null when each block goes on its own
  std::size_t next_stop = 0;

  /// So many partials are one already when a bucket of gradients is complete.
  Dim added() const { return stops == nullptr ? 1 : slots.size(); }
};

/// Bytes of one sample of a block-sized tensor.
inline std::size_t row_bytes(const TensorSpec& spec) {
  return static_cast<std::size_t>(spec.shape.slice(1, spec.shape.rank()).elements()) * size_of(spec.dtype);
}

}  // namespace strata
