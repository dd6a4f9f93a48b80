// SPDX-License-Identifier: Apache-2.0
// Program: a function of tensors, compiled once for fixed shapes, then run many times without allocating.
#pragma once

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "core/ops/block_kernel.h"
#include "core/tensor/variable.h"

namespace strata {

struct ProgramOptions {
  /// Joins bias and activation into products, and chains of elementwise ops into one pass over memory.
  bool fuse = true;
  /// (output, input) pairs that the caller will bind to the same memory, so that an update happens in place.
  std::vector<std::pair<int, int>> aliases;
  /// Restricts the choice to the plain reference kernels: the oracle for tests.
  bool reference_only = false;
};

/// An instruction of ops::block_sum. A program alone computes its own block's value; the engine of a step puts the sum
/// over all blocks in its place.
struct BlockSumPoint {
  std::size_t instruction;
  TensorSpec spec;
};

/// Immutable after compile(): any number of threads may run it at once, each with a RunState of its own.
class Program {
 public:
  /// Compiles `outputs` as a function of `inputs` (placeholders of known shape) and of the variables they read.
  /// Throws ShapeError when a shape is not known, GraphError when an output depends on a placeholder not among the
  /// inputs.
  static std::shared_ptr<const Program> compile(const std::vector<Tensor>& inputs, const std::vector<Tensor>& outputs,
                                                Device& device, const ProgramOptions& options = {});

  const std::vector<TensorSpec>& inputs() const { return inputs_; }
  const std::vector<TensorSpec>& outputs() const { return outputs_; }
  /// Reads of the variables that the program depends on, in order of first use.
  const std::vector<std::shared_ptr<const VariableOp>>& variables() const { return variables_; }
  Device& device() const { return device_; }
  /// Memory that a RunState needs beside its inputs and outputs.
  std::size_t arena_bytes() const { return arena_bytes_; }
  std::size_t instruction_count() const { return instructions_.size(); }
  /// The instruction after which output `i` is complete and no longer read, so that it may be changed in place.
  std::size_t ready_after(int output) const { return ready_after_[static_cast<std::size_t>(output)]; }
  /// The instruction that computes output `i`.
  std::size_t computed_by(int output) const { return computed_by_[static_cast<std::size_t>(output)]; }
  /// What runs an instruction for several blocks in one go; null when each runs it by itself.
  const BlockKernel* block_kernel(std::size_t instruction) const {
    return dynamic_cast<const BlockKernel*>(instructions_[instruction].kernel.get());
  }
  /// In order of instructions, which is that of the trace.
  const std::vector<BlockSumPoint>& block_sums() const { return block_sums_; }
  /// One line an instruction: "matmul transpose=NN bias relu float32 (64, 784) float32 (784, 64) float32 (64,): xsmm".
  std::vector<std::string> kernel_list() const;
  /// A hash of the graph, its shapes and the kernels chosen; equal on ranks that compute the same function in the same
  /// way.
  std::uint64_t hash() const;

 private:
  friend class RunState;
  friend class ProgramBuilder;

  /// Where a value is found at run time.
  struct Place {
    enum Kind { input, output, variable, constant, arena } kind = arena;
    std::size_t index = 0;  // of the input, output, variable or constant; byte offset in the arena
  };
  struct Instruction {
    std::string text;
    std::string candidate;
    std::shared_ptr<const Kernel> kernel;
    std::vector<Place> inputs;
    std::vector<Place> outputs;
  };

  explicit Program(Device& device) : device_(device) {}

  Device& device_;
  std::vector<TensorSpec> inputs_;
  std::vector<TensorSpec> outputs_;
  std::vector<std::shared_ptr<const VariableOp>> variables_;
  std::vector<Buffer> constants_;
  std::vector<Instruction> instructions_;
  std::vector<std::size_t> ready_after_;
  std::vector<std::size_t> computed_by_;
  std::vector<BlockSumPoint> block_sums_;
  std::size_t scratch_offset_ = 0;
  std::size_t arena_bytes_ = 0;
};

/// All that changes when a Program runs: bindings, arena, kernel states. Used by one thread at a time.
class RunState {
 public:
  /// With an arena of its own; pass one of at least program.arena_bytes() to share memory between states that never run
  /// at once.
  explicit RunState(std::shared_ptr<const Program> program, std::shared_ptr<Storage> arena = nullptr);

  /// Device memory of the spec's size. Every input and output must be bound before the first run.
  void bind_input(int index, const void* data);
  void bind_output(int index, void* data);
  /// Points the program at where its variables are now; needed again after a variable has moved.
  void bind_variables();

  const Program& program() const { return *program_; }
  /// Enqueues all instructions. Allocates nothing.
  void run(Stream& stream);
  /// Enqueues one instruction; to be called for 0, 1, ... instruction_count() - 1 in order.
  void run_instruction(std::size_t index, Stream& stream);
  /// Enqueues an instruction that has a block kernel, for up to BlockKernel::kMostBlocks blocks.
  static void run_blocks(std::size_t index, std::span<RunState* const> blocks, Stream& stream);
  /// Where an instruction that was run left its first result.
  void* result(std::size_t instruction) const { return pointers_[arguments_[instruction].first_output]; }

 private:
  void* resolve(const Program::Place& place) const;
  void resolve_all();
  KernelArgs arguments_of(std::size_t instruction);

  struct Arguments {
    std::size_t first_input;
    std::size_t first_output;
    std::shared_ptr<void> state;
  };
  std::shared_ptr<const Program> program_;
  std::shared_ptr<Storage> arena_;
  std::vector<void*> inputs_;
  std::vector<void*> outputs_;
  std::vector<void*> variables_;
  std::vector<Arguments> arguments_;
  std::vector<void*> pointers_;  // of all instructions, inputs then outputs
  bool resolved_ = false;
};

}  // namespace strata
