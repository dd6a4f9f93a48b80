// SPDX-License-Identifier: Apache-2.0
#include "core/training/row_update.h"

#include "core/ops/ops.h"

namespace strata {

void RowChunks::run(Stream& stream) {
  device_.copy_to_host(&count_, rows_.list, sizeof(count_), stream);
  stream.synchronize();
  for (Dim first = 0; first < count_; first += RowLayout::kChunk) {
    state_->bind_input(ids_, RowLayout::ids(rows_.list) + first);
    state_->bind_input(values_, rows_.layout.row(rows_.list, first));
    state_->run(stream);
  }
}

RowUpdate::RowUpdate(UpdateCompiler& compiler, const FlatSet& set, std::size_t variable, const RowGradient& rows,
                     const UpdateNumbers& numbers) {
  const UpdateProgram program = compiler.compile_rows(treatment_of(compiler.optimizer(), set.rules[variable]),
                                                      set.slots.size(), RowLayout::kChunk);
  if (!program.program) return;
  const std::size_t begin = set.layout.byte_offset(variable);
  std::vector<void*> places{
      numbers.learning_rate(),  numbers.steps(), numbers.loss_scale(), nullptr, nullptr, nullptr, nullptr,
      set.values.data() + begin};
  for (std::size_t i = 0; i < numbers.scalars(); ++i) places.push_back(numbers.scalar(i));
  for (const FlatSlot& slot : set.slots) places.push_back(slot.values.data() + begin);
  chunks_ = std::make_unique<RowChunks>(compiler.device(), rows, program.program, static_cast<int>(places.size()),
                                        UpdateInput::gradient);
  RunState& state = chunks_->state();
  for (std::size_t i = 0; i < places.size(); ++i) state.bind_input(static_cast<int>(i), places[i]);
  for (std::size_t o = 0; o < program.targets.size(); ++o) {
    state.bind_output(static_cast<int>(o), places[static_cast<std::size_t>(program.targets[o])]);
  }
}

void RowUpdate::run(Stream& stream) {
  if (chunks_) chunks_->run(stream);
}

DenseRows::DenseRows(Device& device, const Variable& variable, const RowGradient& rows)
    : device_(device), dense_(std::make_shared<Storage>(device, variable.spec().bytes())) {
  const DeviceScope scope(device);
  const Tensor dense = placeholder(variable.spec(), "gradient");
  const Tensor ids = placeholder({{RowLayout::kChunk}, Dtype::int64}, "ids");
  const Tensor values = placeholder(chunk_spec(variable.spec(), RowLayout::kChunk), "values");
  ProgramOptions options;
  options.aliases.emplace_back(0, 0);
  auto program = Program::compile({dense, ids, values}, {ops::scatter_rows(dense, ids, values)}, device, options);
  chunks_ = std::make_unique<RowChunks>(device, rows, std::move(program), 1, 2);
  chunks_->state().bind_input(0, dense_->data());
  chunks_->state().bind_output(0, dense_->data());
}

void DenseRows::run(Stream& stream) {
  device_.zero(dense_->data(), dense_->bytes(), stream);
  chunks_->run(stream);
}

}  // namespace strata
