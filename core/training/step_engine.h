// SPDX-License-Identifier: Apache-2.0
// StepEngine: runs one kind of step on global batches: cuts them into blocks, runs this rank's blocks on its threads,
// sums over all blocks, applies the optimizer. A steady-state step allocates nothing.
#pragma once

#include <exception>
#include <map>

#include "core/base/timeline_recorder.h"
#include "core/program/rounding_errors.h"
#include "core/training/batch_blocks.h"
#include "core/training/block_exchange.h"
#include "core/training/flat_state.h"
#include "core/training/host_array.h"
#include "core/training/optimizer_update.h"
#include "core/training/permutation.h"
#include "core/training/step_program.h"
#include "core/training/thread_meeting.h"

namespace strata {

/// How a rank with several blocks goes through the program: equal bits. Where the program sums over blocks itself, they
/// stop at each such sum together, in either order, and need an arena a block.
enum class BlockOrder {
  block_by_block,  // least memory
  node_by_node,  // those that make a node of the tree of sums go together from one gradient to the next, so that it is
                 // added up while it is in the cache, where that saves more memory traffic than an arena for each of
                 // them costs; otherwise block by block
  op_by_op,      // each instruction on all blocks of a thread before the next: needs an arena a block
};

struct EngineOptions {
  Dim blocks = 0;   // over all ranks; 0 = one a rank
  int threads = 0;  // that run blocks; 0 = as OpenMP says
  BlockOrder order = BlockOrder::node_by_node;
  std::size_t bucket_bytes = 1 << 20;  // of gradients summed in one go
  bool compress = false;               // BlockSumSpec::compress of float32 gradients
  bool own_gradients = false;          // of a shared state: each rank gets the sums of what it updates alone
};

/// A global batch: rows order(first), ... order(first + size - 1) of the arrays (x, then y, then weights). Where these
/// hold the rows of this rank only, `first` is minus the number of samples on the ranks before it.
struct Batch {
  std::span<const HostArray> arrays;
  const Permutation* order = nullptr;  // null = as they stand
  Dim first = 0;
  Dim size = 0;
  std::int64_t seed = 0;
  std::int64_t step = 0;
  std::int64_t sample_base = 0;      // global sample index of the batch's first sample
  std::int64_t epoch = -1;           // for messages,
  std::int64_t epoch_step = -1;      // likewise: the step of that epoch
  std::span<const Dim> limits = {};  // of the blocks: see BatchBlocks; empty = equal parts
  bool is_first = false;             // other ranks may still have to compile for it
};

/// Throws ConfigError when there are more ranks than blocks. Used from one thread; every member that runs a step is
/// collective.
class StepEngine {
 public:
  StepEngine(StepKind kind, std::shared_ptr<Functional> model, Objective objective, DataSpecs data, FlatState& state,
             Communicator& communicator, const EngineOptions& options);
  ~StepEngine();
  StepEngine(const StepEngine&) = delete;
  StepEngine& operator=(const StepEngine&) = delete;

  /// Runs a batch: sums() is valid afterwards; when training the variables are updated with `optimizer`. With
  /// `finite_only`, for which every rank needs all gradients, a step whose gradients are not all finite is left out:
  /// variables, slots and the states of layers stay as they were, on every rank.
  void run(const Batch& batch, const Optimizer* optimizer, std::int64_t iteration, bool finite_only = false);
  /// Whether the last step was left out for that.
  bool left_out() const { return left_out_; }
  /// The first of the model's variables whose gradient was not finite in such a step.
  std::optional<Variable> first_not_finite();

  /// To be called when variables have moved to other memory.
  void rebind_variables();

  /// Over the whole batch, on every rank; sum_specs() tells what they are.
  std::span<const double> sums() const { return sums_; }
  /// Known after prepare().
  const std::vector<SumSpec>& sum_specs() const { return sum_specs_; }
  /// Compiles for the blocks of batches of this size, and makes everything they need.
  void prepare(Dim batch_size) { prepare(BatchBlocks(batch_size, blocks_)); }
  /// Whether nothing has to be compiled for blocks of so many samples.
  bool is_compiled_for(Dim rows) const;

  /// When predicting: this rank's rows of output `k` of the last batch, on the host.
  const std::byte* predictions(std::size_t k);
  /// When predicting, after prepare(): the outputs' specs for some block size (only axis 0 differs between block
  /// sizes).
  std::vector<TensorSpec> prediction_specs() const;
  Dim blocks() const { return blocks_; }
  std::size_t bucket_bytes() const { return options_.bucket_bytes; }
  /// What layers carry from one step to the next besides weights: the states of stateful ones. After prepare().
  std::vector<Variable> layer_states() const;
  /// Of the sums that compress, on this rank, in one order. After prepare(); between steps.
  std::vector<RoundingErrors> rounding_errors() const;
  void forget_rounding_errors();
  /// The compiled program for blocks of `rows` samples.
  const Program& program(Dim rows) { return *step(rows).compiled.program; }
  /// A hash of what must be equal on all ranks for `batch_size`.
  std::uint64_t hash(Dim batch_size);

 private:
  struct Region;
  struct Bucket;
  struct Slot;
  struct Node;
  struct Stop;
  struct BucketReady {
    std::size_t instruction;
    std::size_t bucket;
  };
  /// An instruction in a timeline.
  struct Label {
    std::string name;    // "matmul"
    std::string detail;  // its attributes, shapes and kernel
  };
  struct Step {
    StepProgram compiled;
    std::vector<BucketReady> events;  // which bucket is complete after which instruction, in order of instructions
    std::vector<Label> labels;        // one an instruction
    std::vector<Stop> stops;          // of the blocks of a node, in order of instructions; none when they go alone
    std::size_t backward;             // the instruction that computes the first gradient
  };

  BatchBlocks blocks_of(const Batch& batch) const {
    return batch.limits.empty() ? BatchBlocks(batch.size, blocks_) : BatchBlocks(batch.limits);
  }
  IndexRange own_samples(const Batch& batch) const { return blocks_of(batch).samples(own_blocks_); }
  void prepare(const BatchBlocks& blocks);
  Step& step(Dim rows);
  void create_regions(const StepProgram& compiled);
  void create_gradient_buckets();
  void create_gradient_regions(const StepProgram& compiled);
  Region& add_region(Region region);
  void zero_between_variables(const Region& region, Dim b);
  bool chooses_rows(std::size_t variable, Dim ids) const;
  void forget_steps();
  static std::string describe(const Bucket& bucket);
  void add_bucket(Region& region, Dim first, Dim count);
  void add_rows(Region& region);
  void find_events(Step& step) const;
  static void label_instructions(Step& step);
  void make_nodes();
  void find_stops(Step& step) const;
  void place_buckets(const BatchBlocks& blocks);
  bool blocks_together() const;
  void prepare_slot(Slot& slot, Dim rows);
  void bind_outputs(const Slot& slot, const StepProgram& compiled, RunState& state) const;
  void load(Slot& slot, const Batch& batch, IndexRange samples, Stream& stream);
  void allocate_predictions(Dim rows);
  void bind_predictions(Slot& slot, const Batch& batch, IndexRange samples);
  void run_blocks(const Batch& batch);
  template <class F>
  void for_nodes_of(int thread, int team, const F& f);
  template <class F>
  void for_slots_of(int thread, int team, const F& f);
  void run_thread(int thread, int team, const Batch& batch);
  void begin_node(Node& node, const Batch& batch, int thread, Stream& stream);
  std::span<const std::unique_ptr<Slot>> slots_of(const Node& node) const;
  void run_node(Node& node, std::size_t end, int thread, Stream& stream);
  void run_stop(const Node& node, const Stop& stop, int thread, Stream& stream);
  void add_up(const Bucket& bucket);
  template <class F>
  void add_blocks(const Region& region, IndexRange elements, IndexRange blocks, Stream& stream, const F& added) const;
  void begin_slot(Slot& slot, const Batch& batch, Stream& stream);
  void run_slot(Slot& slot, std::size_t end, int thread, Stream& stream);
  void run_part(Slot& slot, std::size_t end, const char* name, int thread, Stream& stream);
  void run_instruction(Slot& slot, int thread, Stream& stream);
  void finish_instruction(Slot& slot, Stream& stream);
  bool run_to_sum(std::size_t sum, int thread, int team, Stream& stream);
  bool lead_sum(std::size_t sum, int team);
  void skip_slot(Slot& slot, Stream& stream);
  void advance_buckets();
  void finish(const Optimizer* optimizer, std::int64_t iteration, bool finite_only);
  void begin_update(const Optimizer& optimizer, std::int64_t iteration, bool finite_only);
  void apply_states(const Bucket& bucket);

  StepKind kind_;
  std::shared_ptr<Functional> model_;
  Objective objective_;
  DataSpecs data_;
  FlatState& state_;
  Communicator& communicator_;
  EngineOptions options_;
  Device& device_;
  Dim blocks_;
  IndexRange own_blocks_;
  Dim of_leaf_;  // blocks that are added up before ranks take part
  int threads_;
  std::vector<Variable> trainable_;
  std::map<Dim, Step> steps_;  // by rows a block
  std::vector<SumSpec> sum_specs_;
  std::vector<StateSpec> state_specs_;
  std::vector<double> sums_;
  std::vector<std::unique_ptr<Region>> regions_;  // of gradients in the order of variables, then sums, states by dtype
  std::vector<std::unique_ptr<Bucket>> buckets_;  // in the order in which they are summed
  std::unique_ptr<OptimizerUpdate> update_;       // for the optimizer of the last step
  std::vector<std::unique_ptr<Slot>> slots_;      // one a block of this rank
  std::vector<std::unique_ptr<Node>> nodes_;      // of the slots, in order
  std::vector<std::unique_ptr<Stream>> streams_;  // one a thread
  std::vector<std::shared_ptr<Storage>> arenas_;  // those that are used: see prepare_slot
  std::vector<std::shared_ptr<Storage>> predictions_;
  std::vector<std::vector<std::byte>> host_predictions_;
  std::vector<std::exception_ptr> errors_;   // one a thread
  std::unique_ptr<BlockExchange> exchange_;  // the sums in the programs
  ThreadMeeting meeting_;                    // of the threads, at such a sum
  TimelineRecorder* timeline_ = nullptr;     // during a step: that of the thread that runs it, or null
  std::size_t started_ = 0;                  // buckets
  std::size_t sums_run_ = 0;                 // of the exchange
  bool regions_ready_ = false;
  bool left_out_ = false;  // the last step, for finite_only
  bool fresh_ = true;      // something was compiled since the last step
  Dim region_rows_ = 0;    // of the blocks for which the regions were made
};

}  // namespace strata
