// SPDX-License-Identifier: Apache-2.0
// Internal to compilation: the graph that the passes rewrite. Values are numbered; an instruction applies one op.
#pragma once

#include <functional>
#include <vector>

#include "core/ops/kernel.h"
#include "core/program/program.h"

namespace strata {

struct GraphValue {
  enum Kind { input, variable, constant, computed } kind = computed;
  TensorSpec spec;
  std::size_t index = 0;  // of the input, variable or constant
  int view_of = -1;       // the value whose bytes this one shares
};

struct GraphInstruction {
  std::shared_ptr<const Op> op;
  std::vector<int> inputs;
  std::vector<int> outputs;
};

/// A straight-line program before kernels and memory are chosen. Instructions are in executable order.
struct Graph {
  std::vector<GraphValue> values;
  std::vector<GraphInstruction> instructions;
  std::vector<int> outputs;  // value numbers
  std::vector<std::shared_ptr<const VariableOp>> variables;
  std::vector<Buffer> constants;

  int add_value(GraphValue value) {
    values.push_back(std::move(value));
    return static_cast<int>(values.size()) - 1;
  }
  const TensorSpec& spec(int value) const { return values[static_cast<std::size_t>(value)].spec; }
  std::vector<TensorSpec> specs(const std::vector<int>& numbers) const;
  /// The value at the end of a chain of views.
  int root(int value) const;
  /// For every value, the instructions that read it (once an operand).
  std::vector<std::vector<std::size_t>> readers() const;
  bool is_output(int value) const;
};

/// From tensors to a graph: common subexpressions are computed once, what depends on constants only is computed now.
Graph lower(const std::vector<Tensor>& inputs, const std::vector<Tensor>& outputs, Device& device);

/// Runs of one scan that give out different values become one.
void merge_scans(Graph& graph);
/// Scans compute and read what is used only; instructions of which nothing is used are left out.
void prune_scans(Graph& graph);
/// product + bias, then an activation: one instruction.
void fuse_products(Graph& graph);
/// Elementwise instructions of one shape that feed each other: one pass over memory.
void fuse_elementwise(Graph& graph);
/// Gives every output a value of its own that an instruction computes, by copies where needed.
void isolate_outputs(Graph& graph);

/// A request for memory that is live from instruction `first` to instruction `last`, both included.
struct Lifetime {
  std::size_t bytes;
  std::size_t first;
  std::size_t last;
};

/// Offsets (multiples of 64) such that requests alive together do not overlap; returns the total size in `total`.
/// Deterministic: largest first, lowest fitting offset.
std::vector<std::size_t> plan_memory(const std::vector<Lifetime>& requests, std::size_t& total);

}  // namespace strata
