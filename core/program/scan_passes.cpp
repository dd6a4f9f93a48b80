// SPDX-License-Identifier: Apache-2.0
#include <algorithm>

#include "core/program/graph.h"
#include "core/program/scan_op.h"

namespace strata {
namespace {

const ScanOp* as_scan(const GraphInstruction& instruction) { return dynamic_cast<const ScanOp*>(instruction.op.get()); }

void rename(Graph& graph, int from, int to) {
  const auto replace = [&](std::vector<int>& values) { std::replace(values.begin(), values.end(), from, to); };
  for (GraphInstruction& instruction : graph.instructions) replace(instruction.inputs);
  for (GraphValue& value : graph.values) {
    if (value.view_of == from) value.view_of = to;
  }
  replace(graph.outputs);
}

/// Gives scan `at` the further outputs of scan `extended`, which computes the same besides.
void take_over(Graph& graph, std::size_t at, std::size_t extended) {
  const GraphInstruction larger = graph.instructions[extended];
  std::vector<int> outputs = graph.instructions[at].outputs;
  for (std::size_t o = 0; o < outputs.size(); ++o) rename(graph, larger.outputs[o], outputs[o]);
  outputs.insert(outputs.end(), larger.outputs.begin() + static_cast<std::ptrdiff_t>(outputs.size()),
                 larger.outputs.end());
  graph.instructions[at].op = larger.op;
  graph.instructions[at].outputs = std::move(outputs);
  graph.instructions.erase(graph.instructions.begin() + static_cast<std::ptrdiff_t>(extended));
}

template <class T>
std::vector<T> chosen(const std::vector<T>& from, const std::vector<std::size_t>& places) {
  std::vector<T> some;
  for (const std::size_t place : places) some.push_back(from[place]);
  return some;
}

}  // namespace

void merge_scans(Graph& graph) {
  for (std::size_t later = 0; later < graph.instructions.size(); ++later) {
    const ScanOp* extended = as_scan(graph.instructions[later]);
    if (extended == nullptr || extended->base().empty()) continue;
    const auto computes_less = [&](const GraphInstruction& instruction) {
      const ScanOp* scan = as_scan(instruction);
      return scan != nullptr && scan->attributes() == extended->base() &&
             instruction.inputs == graph.instructions[later].inputs;
    };
    const auto end = graph.instructions.begin() + static_cast<std::ptrdiff_t>(later);
    const auto found = std::find_if(graph.instructions.begin(), end, computes_less);
    if (found == end) continue;
    take_over(graph, static_cast<std::size_t>(found - graph.instructions.begin()), later);
    --later;
  }
}

void prune_scans(Graph& graph) {
  std::vector<bool> read(graph.values.size(), false);
  const auto mark = [&](int value) { read[static_cast<std::size_t>(graph.root(value))] = true; };
  const auto is_read = [&](int value) { return bool(read[static_cast<std::size_t>(value)]); };
  for (int output : graph.outputs) mark(output);
  std::vector<GraphInstruction> left;
  for (auto instruction = graph.instructions.rbegin(); instruction != graph.instructions.rend(); ++instruction) {
    if (std::none_of(instruction->outputs.begin(), instruction->outputs.end(), is_read)) continue;
    if (const ScanOp* scan = as_scan(*instruction)) {
      std::vector<bool> outputs;
      for (int output : instruction->outputs) outputs.push_back(is_read(output));
      const ScanOp::Pruned pruned = scan->pruned(outputs);
      *instruction = {pruned.op, chosen(instruction->inputs, pruned.inputs),
                      chosen(instruction->outputs, pruned.outputs)};
    }
    for (int input : instruction->inputs) mark(input);
    left.push_back(std::move(*instruction));
  }
  graph.instructions.assign(std::make_move_iterator(left.rbegin()), std::make_move_iterator(left.rend()));
}

}  // namespace strata
