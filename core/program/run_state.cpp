// SPDX-License-Identifier: Apache-2.0
#include <array>

#include "core/base/error.h"
#include "core/base/thread_environment.h"
#include "core/program/program.h"

namespace strata {

RunState::RunState(std::shared_ptr<const Program> program, std::shared_ptr<Storage> arena)
    : program_(std::move(program)),
      arena_(std::move(arena)),
      inputs_(program_->inputs().size(), nullptr),
      outputs_(program_->outputs().size(), nullptr),
      variables_(program_->variables().size(), nullptr) {
  if (!arena_) arena_ = std::make_shared<Storage>(program_->device(), program_->arena_bytes());
  if (arena_->bytes() < program_->arena_bytes()) {
    throw InternalError("RunState: expected an arena of " + std::to_string(program_->arena_bytes()) +
                        " bytes, received " + std::to_string(arena_->bytes()));
  }
  const ThreadEnvironment environment;  // libraries prepare for the threads they see
  std::size_t pointers = 0;
  for (const Program::Instruction& instruction : program_->instructions_) {
    arguments_.push_back({pointers, pointers + instruction.inputs.size(), instruction.kernel->make_state()});
    pointers += instruction.inputs.size() + instruction.outputs.size();
  }
  pointers_.resize(pointers);
  bind_variables();
}

void RunState::bind_input(int index, const void* data) {
  resolved_ = false;
  inputs_.at(static_cast<std::size_t>(index)) = const_cast<void*>(data);
}

void RunState::bind_output(int index, void* data) {
  resolved_ = false;
  outputs_.at(static_cast<std::size_t>(index)) = data;
}

void RunState::bind_variables() {
  resolved_ = false;
  for (std::size_t i = 0; i < variables_.size(); ++i) {
    variables_[i] = program_->variables()[i]->buffer().data();
  }
}

void* RunState::resolve(const Program::Place& place) const {
  switch (place.kind) {
    case Program::Place::input: return inputs_[place.index];
    case Program::Place::output: return outputs_[place.index];
    case Program::Place::variable: return variables_[place.index];
    case Program::Place::constant: return program_->constants_[place.index].data();
    case Program::Place::arena: break;
  }
  return arena_->data() + place.index;
}

void RunState::resolve_all() {
  std::size_t at = 0;
  for (const Program::Instruction& instruction : program_->instructions_) {
    for (const Program::Place& place : instruction.inputs) pointers_[at++] = resolve(place);
    for (const Program::Place& place : instruction.outputs) pointers_[at++] = resolve(place);
  }
  resolved_ = true;
}

void RunState::run(Stream& stream) {
  for (std::size_t i = 0; i < arguments_.size(); ++i) run_instruction(i, stream);
}

KernelArgs RunState::arguments_of(std::size_t instruction) {
  if (!resolved_) resolve_all();
  const Arguments& arguments = arguments_[instruction];
  return {pointers_.data() + arguments.first_input, pointers_.data() + arguments.first_output,
          arena_->data() + program_->scratch_offset_, arguments.state.get()};
}

void RunState::run_instruction(std::size_t index, Stream& stream) {
  const Kernel& kernel = *program_->instructions_[index].kernel;
  const KernelArgs args = arguments_of(index);
  program_->device().launch(stream, [&] { kernel.run(args, stream); });
}

void RunState::run_blocks(std::size_t index, std::span<RunState* const> blocks, Stream& stream) {
  const Program& program = blocks[0]->program();
  std::array<KernelArgs, BlockKernel::kMostBlocks> arguments;
  for (std::size_t b = 0; b < blocks.size(); ++b) arguments[b] = blocks[b]->arguments_of(index);
  program.device().launch(stream, [&] { program.block_kernel(index)->run_blocks({arguments.data(), blocks.size()}); });
}

}  // namespace strata
