// SPDX-License-Identifier: Apache-2.0
#include "core/training/row_update.h"

#include <algorithm>

#include "core/ops/ops.h"
#include "core/ops/square_sums.h"
#include "core/training/optimizer_shares.h"

namespace strata {

OwnRowIds::OwnRowIds(Device& device, const RowGradient& list, IndexRange rows)
    : device_(device),
      list_(list),
      rows_(rows),
      own_(std::make_shared<Storage>(device, static_cast<std::size_t>(list.layout.capacity) * sizeof(std::int64_t))),
      all_(static_cast<std::size_t>(list.layout.capacity)),
      masked_(all_.size(), -1) {}

void OwnRowIds::load(Stream& stream) {
  device_.copy_to_host(&count_, list_.list, sizeof(count_), stream);
  stream.synchronize();
  const auto count = static_cast<std::size_t>(count_);
  device_.copy_to_host(all_.data(), RowLayout::ids(list_.list), count * sizeof(std::int64_t), stream);
  stream.synchronize();
  std::fill(masked_.begin(), masked_.end(), std::int64_t{-1});
  const auto ids = all();
  const auto place = [&](Dim row) { return std::lower_bound(ids.begin(), ids.end(), row) - ids.begin(); };
  range_ = {place(rows_.first), place(rows_.last)};
  std::copy(ids.begin() + range_.first, ids.begin() + range_.last, masked_.begin() + range_.first);
  device_.copy_from_host(own_->data(), masked_.data(), own_->bytes(), stream);
  stream.synchronize();
}

void RowChunks::run(Stream& stream) {
  device_.copy_to_host(&count_, rows_.list, sizeof(count_), stream);
  stream.synchronize();
  run(RowLayout::ids(rows_.list), {0, count_}, stream);
}

void RowChunks::run(const OwnRowIds& own, Stream& stream) { run(own.data(), own.range(), stream); }

void RowChunks::run(std::int64_t* ids, IndexRange range, Stream& stream) {
  for (Dim first = range.first / RowLayout::kChunk * RowLayout::kChunk; first < range.last;
       first += RowLayout::kChunk) {
    state_->bind_input(ids_, ids + first);
    state_->bind_input(values_, rows_.layout.row(rows_.list, first));
    state_->run(stream);
  }
}

RowUpdate::RowUpdate(UpdateCompiler& compiler, const FlatSet& set, std::size_t variable, const RowGradient& rows,
                     const UpdateNumbers& numbers, Communicator* shared_by)
    : variable_(set.values.data() + set.layout.byte_offset(variable)), row_bytes_(rows.layout.row_bytes()) {
  const UpdateProgram program = compiler.compile_rows(treatment_of(compiler.optimizer(), set.rules[variable]),
                                                      set.slots.size(), RowLayout::kChunk);
  if (!program.program) return;
  if (shared_by != nullptr && !prepare_share(compiler.device(), set, variable, rows, *shared_by)) return;
  std::vector<void*> places{
      numbers.learning_rate(), numbers.steps(), numbers.loss_scale(), nullptr, nullptr, nullptr, nullptr, variable_};
  for (std::size_t i = 0; i < numbers.scalars(); ++i) places.push_back(numbers.scalar(i));
  for (const FlatSlot& slot : set.slots) places.push_back(set.slot_data(slot, set.layout.offsets[variable]));
  chunks_ = std::make_unique<RowChunks>(compiler.device(), rows, program.program, static_cast<int>(places.size()),
                                        UpdateInput::gradient);
  RunState& state = chunks_->state();
  for (std::size_t i = 0; i < places.size(); ++i) state.bind_input(static_cast<int>(i), places[i]);
  for (std::size_t o = 0; o < program.targets.size(); ++o) {
    state.bind_output(static_cast<int>(o), places[static_cast<std::size_t>(program.targets[o])]);
  }
}

/// Returns whether this rank has a share of the rows.
bool RowUpdate::prepare_share(Device& device, const FlatSet& set, std::size_t variable, const RowGradient& rows,
                              Communicator& ranks) {
  const auto owned_by = [&](int rank) { return own_rows(set, variable, rows.layout.width, rank); };
  for (int r = 0; r < ranks.size(); ++r) row_cuts_.push_back(owned_by(r).first);
  row_cuts_.push_back(set.layout.variables[variable].shape()[0]);
  own_ = std::make_unique<OwnRowIds>(device, rows, owned_by(ranks.rank()));
  gather_ = std::make_unique<ShareGather>(ranks, device);
  const auto most = static_cast<std::size_t>(rows.layout.capacity);
  gather_->reserve(most, most * rows.layout.row_bytes());
  return owned_by(ranks.rank()).size() > 0;
}

void RowUpdate::run(Stream& stream) {
  if (own_) own_->load(stream);
  if (!chunks_) return;
  if (own_) chunks_->run(*own_, stream);
  else chunks_->run(stream);
}

void RowUpdate::share(Stream& stream) {
  if (!own_) return;
  gather_->clear();
  int owner = 0;
  for (const std::int64_t id : own_->all()) {
    while (id >= row_cuts_[static_cast<std::size_t>(owner) + 1]) ++owner;
    gather_->add(owner, variable_ + static_cast<std::size_t>(id) * row_bytes_, row_bytes_);
  }
  gather_->run(stream);
}

namespace {

/// sum + the squares of the values whose ids are not those of missing rows.
std::shared_ptr<const Program> compile_row_squares(const RowLayout& layout, Device& device) {
  const DeviceScope scope(device);
  const Tensor ids = placeholder({{RowLayout::kChunk}, Dtype::int64}, "ids");
  const Tensor values = placeholder({{RowLayout::kChunk, layout.width}, layout.dtype}, "values");
  const Tensor sum = placeholder({{}, Dtype::float64}, "sum");
  const Tensor there = ops::expand_dims(ops::greater_equal(ids, scalar(0.0, Dtype::int64)), -1);
  const Tensor known = ops::select(there, values, scalar(0.0, layout.dtype));
  ProgramOptions options;
  options.aliases.emplace_back(0, 2);
  const Tensor squares = ops::square_sums(ops::reshape(known, {RowLayout::kChunk * layout.width}));
  return Program::compile({ids, values, sum}, {sum + ops::sum(squares)}, device, options);
}

}  // namespace

RowSquares::RowSquares(Device& device, const RowGradient& rows, double* sum)
    : device_(device), sum_(sum), chunks_(device, rows, compile_row_squares(rows.layout, device), 0, 1) {
  chunks_.state().bind_input(2, sum);
  chunks_.state().bind_output(0, sum);
}

void RowSquares::run(Stream& stream) {
  device_.zero(sum_, sizeof(double), stream);
  chunks_.run(stream);
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
