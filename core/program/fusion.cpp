// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <map>
#include <optional>

#include "core/ops/fused_elementwise.h"
#include "core/ops/ops.h"
#include "core/ops/product.h"
#include "core/program/graph.h"

namespace strata {
namespace {

const ElementwiseOp* as_elementwise(const GraphInstruction& instruction) {
  return dynamic_cast<const ElementwiseOp*>(instruction.op.get());
}

void erase_instructions(Graph& graph, const std::vector<bool>& erased) {
  std::vector<GraphInstruction> kept;
  for (std::size_t i = 0; i < graph.instructions.size(); ++i) {
    if (!erased[i]) kept.push_back(std::move(graph.instructions[i]));
  }
  graph.instructions = std::move(kept);
}

/// The only reader of a value that nothing else needs.
std::optional<std::size_t> sole_reader(const Graph& graph, const std::vector<std::vector<std::size_t>>& readers,
                                       int value) {
  const auto& all = readers[static_cast<std::size_t>(value)];
  const bool viewed =
      std::any_of(graph.values.begin(), graph.values.end(), [&](const GraphValue& v) { return v.view_of == value; });
  if (all.size() != 1 || viewed || graph.is_output(value)) return std::nullopt;
  return all[0];
}

/// The bias operand when `instruction` adds a row (n,) to `product`; -1 otherwise.
int bias_operand(const Graph& graph, const GraphInstruction& instruction, int product) {
  if (instruction.op->name() != "add") return -1;
  const int other = instruction.inputs[instruction.inputs[0] == product ? 1 : 0];
  const TensorSpec& spec = graph.spec(product);
  const bool row = other != product && graph.spec(other) == TensorSpec{{spec.shape.back()}, spec.dtype};
  return row && graph.spec(instruction.outputs[0]) == spec ? other : -1;
}

bool is_activation(const Graph& graph, const GraphInstruction& instruction) {
  return as_elementwise(instruction) != nullptr && instruction.inputs.size() == 1 &&
         graph.spec(instruction.outputs[0]) == graph.spec(instruction.inputs[0]);
}

/// A bias or an activation computed after the product's place can only move there when its operand is ready by then.
bool available_before(const Graph& graph, int value, std::size_t position) {
  const int root = graph.root(value);
  for (std::size_t i = position; i < graph.instructions.size(); ++i) {
    const auto& outputs = graph.instructions[i].outputs;
    if (std::find(outputs.begin(), outputs.end(), root) != outputs.end()) return false;
  }
  return true;
}

void fuse_product(Graph& graph, std::size_t at, std::vector<bool>& erased) {
  GraphInstruction& product = graph.instructions[at];
  if (is_half(graph.spec(product.outputs[0]).dtype)) return;  // the product is rounded before what follows
  const auto& op = dynamic_cast<const ProductOp&>(*product.op);
  ProductEpilogue epilogue;
  const auto readers = graph.readers();
  auto next = sole_reader(graph, readers, product.outputs[0]);
  if (next) {
    const int bias = bias_operand(graph, graph.instructions[*next], product.outputs[0]);
    if (bias >= 0 && available_before(graph, bias, at)) {
      epilogue.bias = true;
      product.inputs.push_back(bias);
      product.outputs = graph.instructions[*next].outputs;
      erased[*next] = true;
      next = sole_reader(graph, readers, product.outputs[0]);
    }
  }
  if (next && is_activation(graph, graph.instructions[*next])) {
    epilogue.activation = graph.instructions[*next].op;
    product.outputs = graph.instructions[*next].outputs;
    erased[*next] = true;
  }
  if (epilogue) product.op = op.with_epilogue(std::move(epilogue));
}

// Elementwise instructions are collected into groups, each to be run where its last member stands.
class ElementwiseGrouping {
 public:
  explicit ElementwiseGrouping(Graph& graph)
      : graph_(graph), readers_(graph.readers()), group_of_(graph.instructions.size(), -1) {
    for (std::size_t v = 0; v < graph.values.size(); ++v) {
      const int value = static_cast<int>(v);
      const int root = graph.root(value);
      if (root == value) continue;
      auto& through_views = readers_[static_cast<std::size_t>(root)];
      through_views.insert(through_views.end(), readers_[v].begin(), readers_[v].end());
    }
    for (std::size_t i = 0; i < graph.instructions.size(); ++i) {
      for (int v : graph.instructions[i].outputs) producer_[v] = i;
    }
  }

  void run() {
    for (std::size_t i = 0; i < graph_.instructions.size(); ++i) {
      if (as_elementwise(graph_.instructions[i]) != nullptr) place(i);
    }
    replace();
  }

 private:
  struct Group {
    std::vector<std::size_t> members;  // in order
    Shape shape;
  };
  static constexpr std::size_t kMaxSteps = 32;
  static constexpr std::size_t kMaxInputs = 16;

  void place(std::size_t i) {
    Group group{{i}, graph_.spec(graph_.instructions[i].outputs[0]).shape};
    for (int v : graph_.instructions[i].inputs) {
      for (std::size_t neighbour : neighbours(v, i)) {
        const int candidate = group_of_[neighbour];
        if (candidate >= 0 && joins(candidate, group, i)) absorb(candidate, group);
      }
    }
    const int number = static_cast<int>(groups_.size());
    for (std::size_t member : group.members) group_of_[member] = number;
    groups_.push_back(std::move(group));
  }

  /// The instructions before `i` that have to do with value `v`: the one that computes it, or those that read an input
  /// of the program, which lies in memory and is then read once for all of them.
  std::vector<std::size_t> neighbours(int v, std::size_t i) const {
    if (const auto made = producer_.find(v); made != producer_.end()) return {made->second};
    std::vector<std::size_t> earlier;
    if (graph_.values[static_cast<std::size_t>(v)].kind != GraphValue::input) return earlier;
    for (std::size_t reader : readers_[static_cast<std::size_t>(v)]) {
      if (reader < i) earlier.push_back(reader);
    }
    return earlier;
  }

  /// Whether group `candidate` may run together with `group` at position i: nothing outside reads it before that.
  bool joins(int candidate, const Group& group, std::size_t i) const {
    const Group& other = groups_[static_cast<std::size_t>(candidate)];
    if (other.members.empty() || other.shape != group.shape) return false;
    std::vector<std::size_t> all = other.members;
    all.insert(all.end(), group.members.begin(), group.members.end());
    if (all.size() > kMaxSteps || external_inputs(all).size() > kMaxInputs || reads_own_view(all)) return false;
    for (std::size_t member : other.members) {
      for (int v : graph_.instructions[member].outputs) {
        for (std::size_t reader : readers_[static_cast<std::size_t>(v)]) {
          if (reader < i && std::find(all.begin(), all.end(), reader) == all.end()) return false;
        }
      }
    }
    return true;
  }

  /// Whether a member reads, under another shape, what a member computes: that must be in memory before.
  bool reads_own_view(const std::vector<std::size_t>& members) const {
    for (int v : external_inputs(members)) {
      const auto made = producer_.find(graph_.root(v));
      if (made == producer_.end()) continue;
      if (std::find(members.begin(), members.end(), made->second) != members.end()) return true;
    }
    return false;
  }

  void absorb(int candidate, Group& group) {
    Group& other = groups_[static_cast<std::size_t>(candidate)];
    group.members.insert(group.members.end(), other.members.begin(), other.members.end());
    std::sort(group.members.begin(), group.members.end());
    for (std::size_t member : other.members) group_of_[member] = -2;  // until place() numbers the joined group
    other.members.clear();
  }

  std::vector<int> external_inputs(const std::vector<std::size_t>& members) const {
    std::vector<int> inputs;
    for (std::size_t member : members) {
      for (int v : graph_.instructions[member].inputs) {
        const auto made = producer_.find(v);
        const bool internal =
            made != producer_.end() && std::find(members.begin(), members.end(), made->second) != members.end();
        if (!internal && std::find(inputs.begin(), inputs.end(), v) == inputs.end()) inputs.push_back(v);
      }
    }
    return inputs;
  }

  bool needed_outside(int value, const std::vector<std::size_t>& members) const {
    if (graph_.is_output(value)) return true;
    for (std::size_t v = 0; v < graph_.values.size(); ++v) {
      if (graph_.values[v].view_of >= 0 && graph_.root(static_cast<int>(v)) == value &&
          graph_.is_output(static_cast<int>(v))) {
        return true;
      }
    }
    const auto& all = readers_[static_cast<std::size_t>(value)];
    return std::any_of(all.begin(), all.end(), [&](std::size_t reader) {
      return std::find(members.begin(), members.end(), reader) == members.end();
    });
  }

  GraphInstruction fuse(const Group& group) const {
    GraphInstruction fused;
    fused.inputs = external_inputs(group.members);
    ElementwiseChain chain;
    chain.inputs = static_cast<int>(fused.inputs.size());
    std::map<int, int> number;  // graph value -> value of the chain
    for (int v : fused.inputs) {
      number[v] = static_cast<int>(chain.dtypes.size());
      chain.dtypes.push_back(graph_.spec(v).dtype);
    }
    for (std::size_t member : group.members) {
      const GraphInstruction& instruction = graph_.instructions[member];
      std::string name(instruction.op->name());
      if (const std::string attributes = instruction.op->attributes(); !attributes.empty()) {
        name += "[" + attributes + "]";
      }
      std::vector<int> operands;
      for (int v : instruction.inputs) operands.push_back(number.at(v));
      const int result = instruction.outputs[0];
      number[result] =
          append_step(chain, *as_elementwise(instruction), std::move(name), operands, graph_.spec(result).dtype);
      if (needed_outside(result, group.members)) {
        chain.outputs.push_back(number[result]);
        fused.outputs.push_back(result);
      }
    }
    fused.op = std::make_shared<FusedElementwiseOp>(std::move(chain), group.shape);
    return fused;
  }

  void replace() {
    std::vector<bool> erased(graph_.instructions.size(), false);
    std::vector<std::pair<std::size_t, GraphInstruction>> fused;
    for (const Group& group : groups_) {
      if (group.members.size() < 2) continue;
      fused.emplace_back(group.members.back(), fuse(group));
      for (std::size_t member : group.members) erased[member] = member != group.members.back();
    }
    for (auto& [at, instruction] : fused) graph_.instructions[at] = std::move(instruction);
    erase_instructions(graph_, erased);
  }

  Graph& graph_;
  std::vector<std::vector<std::size_t>> readers_;
  std::map<int, std::size_t> producer_;
  std::vector<int> group_of_;
  std::vector<Group> groups_;
};

}  // namespace

void fuse_products(Graph& graph) {
  std::vector<bool> erased(graph.instructions.size(), false);
  for (std::size_t i = 0; i < graph.instructions.size(); ++i) {
    const bool product = dynamic_cast<const ProductOp*>(graph.instructions[i].op.get()) != nullptr;
    if (product && !erased[i]) fuse_product(graph, i, erased);
  }
  erase_instructions(graph, erased);
}

void fuse_elementwise(Graph& graph) { ElementwiseGrouping(graph).run(); }

}  // namespace strata
