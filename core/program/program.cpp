// SPDX-License-Identifier: Apache-2.0
#include "core/program/program.h"

#include <xxhash.h>

#include <algorithm>
#include <optional>

#include "core/base/error.h"
#include "core/base/thread_environment.h"
#include "core/program/block_sum.h"
#include "core/program/copy.h"
#include "core/program/graph.h"
#include "core/tensor/host_copy.h"

namespace strata {

void isolate_outputs(Graph& graph) {
  std::vector<int> taken;
  for (int& output : graph.outputs) {
    // The bytes behind a view serve as well: the specs of the program's outputs were noted before.
    const int root = graph.root(output);
    const bool own = graph.values[static_cast<std::size_t>(root)].kind == GraphValue::computed &&
                     std::find(taken.begin(), taken.end(), root) == taken.end();
    if (own) {
      output = root;
    } else {
      const int copy = graph.add_value({GraphValue::computed, graph.spec(output)});
      graph.instructions.push_back({std::make_shared<CopyOp>(), {output}, {copy}});
      output = copy;
    }
    taken.push_back(output);
  }
}

/// Chooses kernels and places for the values of a graph whose passes are done.
class ProgramBuilder {
 public:
  ProgramBuilder(Graph graph, Device& device, const ProgramOptions& options)
      : graph_(std::move(graph)), options_(options), program_(new Program(device)) {
    program_->outputs_ = graph_.specs(graph_.outputs);
    isolate_outputs(graph_);
  }

  std::shared_ptr<const Program> build(const std::vector<Tensor>& inputs) {
    for (const Tensor& input : inputs) program_->inputs_.push_back(input.spec());
    for (std::size_t i = 0; i < graph_.instructions.size(); ++i) choose(i);
    move_unsafe_aliases();
    find_lifetimes();
    share_memory_in_place();
    place_values();
    for (std::size_t i = 0; i < graph_.instructions.size(); ++i) emit(i);
    program_->variables_ = graph_.variables;
    program_->constants_ = graph_.constants;
    return std::shared_ptr<const Program>(std::move(program_));
  }

 private:
  struct Value {
    std::optional<std::size_t> output;  // the program output it is
    std::size_t first = 0;              // the instruction that computes it
    std::size_t last = 0;               // the last that reads it
    int shares = -1;                    // the value whose memory it takes over
    std::size_t offset = 0;
  };

  void choose(std::size_t i) {
    const GraphInstruction& instruction = graph_.instructions[i];
    const auto inputs = graph_.specs(instruction.inputs);
    const auto outputs = graph_.specs(instruction.outputs);
    chosen_.push_back(choose_kernel({*instruction.op, inputs, outputs}, program_->device_,
                                    options_.reference_only ? "reference" : ""));
  }

  // An output bound to the memory of an input must not be written before the input was read for the last time. Where
  // it would be, it is computed elsewhere and copied at the end.
  void move_unsafe_aliases() {
    const std::size_t original = graph_.instructions.size();
    for (const auto& [output, input] : options_.aliases) {
      int& value = graph_.outputs[static_cast<std::size_t>(output)];
      if (safe_in_place(value, input, original)) continue;
      const int copy = graph_.add_value({GraphValue::computed, graph_.spec(value)});
      graph_.instructions.push_back({std::make_shared<CopyOp>(), {value}, {copy}});
      value = copy;
    }
    for (std::size_t i = original; i < graph_.instructions.size(); ++i) choose(i);
  }

  bool safe_in_place(int value, int input, std::size_t instructions) const {
    bool written = false;
    for (std::size_t i = 0; i < instructions; ++i) {
      const GraphInstruction& instruction = graph_.instructions[i];
      const auto out = std::find(instruction.outputs.begin(), instruction.outputs.end(), value);
      const bool writes = out != instruction.outputs.end();
      for (std::size_t k = 0; k < instruction.inputs.size(); ++k) {
        const GraphValue& read = graph_.values[static_cast<std::size_t>(graph_.root(instruction.inputs[k]))];
        if (read.kind != GraphValue::input || read.index != static_cast<std::size_t>(input)) continue;
        if (written) return false;
        if (writes && !chosen_[i].kernel->may_overwrite(static_cast<int>(k),
                                                        static_cast<int>(out - instruction.outputs.begin()))) {
          return false;
        }
      }
      written = written || writes;
    }
    return true;
  }

  void find_lifetimes() {
    values_.resize(graph_.values.size());
    for (std::size_t i = 0; i < graph_.instructions.size(); ++i) {
      for (int v : graph_.instructions[i].outputs) at(v).first = at(v).last = i;
      for (int v : graph_.instructions[i].inputs) at(graph_.root(v)).last = i;
    }
    for (std::size_t o = 0; o < graph_.outputs.size(); ++o) {
      at(graph_.outputs[o]).output = o;
      program_->ready_after_.push_back(at(graph_.outputs[o]).last);
      program_->computed_by_.push_back(at(graph_.outputs[o]).first);
    }
  }

  /// A result may take over the memory of an operand that dies with this instruction.
  void share_memory_in_place() {
    for (std::size_t i = 0; i < graph_.instructions.size(); ++i) {
      const GraphInstruction& instruction = graph_.instructions[i];
      std::vector<int> taken;
      for (std::size_t o = 0; o < instruction.outputs.size(); ++o) {
        const int out = instruction.outputs[o];
        if (at(out).output) continue;
        for (std::size_t k = 0; k < instruction.inputs.size(); ++k) {
          const int in = graph_.root(instruction.inputs[k]);
          const bool dies = in_arena(in) && at(in).last == i && at(in).first < i;
          const bool fits = dies && graph_.spec(in).bytes() == graph_.spec(out).bytes() &&
                            std::find(taken.begin(), taken.end(), in) == taken.end();
          if (!fits || !overwrites_every_use(i, in, static_cast<int>(o))) continue;
          at(out).shares = in;
          taken.push_back(in);
          break;
        }
      }
    }
  }

  bool overwrites_every_use(std::size_t i, int value, int output) const {
    const auto& inputs = graph_.instructions[i].inputs;
    for (std::size_t k = 0; k < inputs.size(); ++k) {
      if (graph_.root(inputs[k]) != value) continue;
      if (!chosen_[i].kernel->may_overwrite(static_cast<int>(k), output)) return false;
    }
    return true;
  }

  bool in_arena(int value) const {
    const auto v = static_cast<std::size_t>(value);
    return graph_.values[v].kind == GraphValue::computed && graph_.values[v].view_of < 0 && !values_[v].output;
  }

  int owner(int value) const {
    while (values_[static_cast<std::size_t>(value)].shares >= 0)
      value = values_[static_cast<std::size_t>(value)].shares;
    return value;
  }

  void place_values() {
    std::vector<int> owners;
    std::vector<Lifetime> lifetimes;
    std::vector<std::size_t> request(values_.size(), 0);
    for (std::size_t v = 0; v < values_.size(); ++v) {
      const int value = static_cast<int>(v);
      if (!in_arena(value) || owner(value) != value) continue;
      request[v] = owners.size();
      owners.push_back(value);
      lifetimes.push_back({graph_.spec(value).bytes(), values_[v].first, values_[v].last});
    }
    for (std::size_t v = 0; v < values_.size(); ++v) {
      const int value = static_cast<int>(v);
      if (!in_arena(value)) continue;
      Lifetime& lifetime = lifetimes[request[static_cast<std::size_t>(owner(value))]];
      lifetime.last = std::max(lifetime.last, values_[v].last);
    }
    const auto offsets = plan_memory(lifetimes, program_->scratch_offset_);
    for (std::size_t r = 0; r < owners.size(); ++r) at(owners[r]).offset = offsets[r];
    std::size_t scratch = 0;
    for (const ChosenKernel& chosen : chosen_) scratch = std::max(scratch, chosen.kernel->scratch_bytes());
    program_->arena_bytes_ = program_->scratch_offset_ + scratch;
  }

  Program::Place place(int value) const {
    const int root = graph_.root(value);
    const GraphValue& source = graph_.values[static_cast<std::size_t>(root)];
    switch (source.kind) {
      case GraphValue::input: return {Program::Place::input, source.index};
      case GraphValue::variable: return {Program::Place::variable, source.index};
      case GraphValue::constant: return {Program::Place::constant, source.index};
      case GraphValue::computed: break;
    }
    const Value& v = values_[static_cast<std::size_t>(root)];
    if (v.output) return {Program::Place::output, *v.output};
    return {Program::Place::arena, values_[static_cast<std::size_t>(owner(root))].offset};
  }

  void emit(std::size_t i) {
    const GraphInstruction& source = graph_.instructions[i];
    Program::Instruction instruction{std::string(source.op->name()), chosen_[i].candidate, chosen_[i].kernel, {}, {}};
    if (const std::string attributes = source.op->attributes(); !attributes.empty())
      instruction.text += " " + attributes;
    for (int v : source.inputs) {
      instruction.text += " " + graph_.spec(v).str();
      instruction.inputs.push_back(place(v));
    }
    for (int v : source.outputs) instruction.outputs.push_back(place(v));
    if (is_block_sum(*source.op)) program_->block_sums_.push_back({i, graph_.spec(source.outputs[0])});
    program_->instructions_.push_back(std::move(instruction));
  }

  Value& at(int value) { return values_[static_cast<std::size_t>(value)]; }

  Graph graph_;
  ProgramOptions options_;
  std::unique_ptr<Program> program_;
  std::vector<ChosenKernel> chosen_;
  std::vector<Value> values_;
};

std::shared_ptr<const Program> Program::compile(const std::vector<Tensor>& inputs, const std::vector<Tensor>& outputs,
                                                Device& device, const ProgramOptions& options) {
  const ThreadEnvironment environment;  // libraries prepare for the threads they see
  Graph graph = lower(inputs, outputs, device);
  merge_scans(graph);
  prune_scans(graph);
  if (options.fuse) {
    fuse_products(graph);
    fuse_elementwise(graph);
  }
  return ProgramBuilder(std::move(graph), device, options).build(inputs);
}

std::vector<std::string> Program::kernel_list() const {
  std::vector<std::string> lines;
  for (const Instruction& instruction : instructions_) lines.push_back(instruction.text + ": " + instruction.candidate);
  return lines;
}

std::uint64_t Program::hash() const {
  std::string text;
  const auto add_places = [&](const std::vector<Place>& places) {
    for (const Place& place : places) text += " " + std::to_string(place.kind) + ":" + std::to_string(place.index);
  };
  for (const TensorSpec& spec : inputs_) text += spec.str() + "\n";
  for (const auto& variable : variables_) text += variable->attributes() + "\n";
  for (const Instruction& instruction : instructions_) {
    text += instruction.text + ": " + instruction.candidate;
    add_places(instruction.inputs);
    add_places(instruction.outputs);
    text += "\n";
  }
  for (const TensorSpec& spec : outputs_) text += spec.str() + "\n";
  for (const Buffer& constant : constants_) {
    text += host_copy(constant, constant.storage->bytes() - constant.offset);
  }
  return XXH3_64bits(text.data(), text.size());
}

}  // namespace strata
