// SPDX-License-Identifier: Apache-2.0
#include "core/training/optimizer_update.h"

#include <algorithm>
#include <cmath>

#include "core/ops/ops.h"

namespace strata {

OptimizerUpdate::OptimizerUpdate(const Optimizer& optimizer, FlatState& state, int threads)
    : state_(state), compiler_(optimizer, state.device()), threads_(threads) {
  for (const FlatSet& set : state_.trainable()) variables_ += set.layout.variables.size();
  Device& device = state_.device();
  for (const FlatSet& set : state_.trainable()) {
    numbers_.push_back(std::make_unique<UpdateNumbers>(device, set.layout.dtype, optimizer->scalars().size()));
  }
  squares_ = std::make_shared<Storage>(device, (3 * variables_ + 1) * sizeof(double));
  if (!clips_globally() && loss_scaling() == nullptr) return;
  const DeviceScope scope(device);
  const Tensor squares = placeholder({{static_cast<Dim>(variables_)}, Dtype::float64}, "squares");
  sum_ = std::make_unique<RunState>(Program::compile({squares}, {ops::sum(squares)}, device));
  auto* data = reinterpret_cast<double*>(squares_->data());
  sum_->bind_input(0, data);
  sum_->bind_output(0, data + 3 * variables_);
}

UpdateSquares OptimizerUpdate::squares_of(const FlatSet& set) const {
  auto* data = reinterpret_cast<double*>(squares_->data());
  std::size_t first = 0;
  for (const FlatSet* other = state_.trainable().data(); other != &set; ++other) {
    first += other->layout.variables.size();
  }
  return {data + first, data + variables_ + first, data + 2 * variables_ + first, data + 3 * variables_};
}

const UpdateNumbers& OptimizerUpdate::numbers_of(const FlatSet& set) const {
  return *numbers_[static_cast<std::size_t>(&set - state_.trainable().data())];
}

std::unique_ptr<BucketUpdate> OptimizerUpdate::make_bucket(const FlatSet& set, Dim first, Dim count, void* gradient) {
  return std::make_unique<BucketUpdate>(compiler_, set, first, count, gradient, squares_of(set), numbers_of(set),
                                        threads_);
}

void OptimizerUpdate::add_bucket(const FlatSet& set, Dim first, Dim count, void* gradient) {
  Part part;
  part.bucket = make_bucket(set, first, count, gradient);
  parts_.push_back(std::move(part));
}

void OptimizerUpdate::add_rows(const FlatSet& set, Dim first, const RowLayout& layout, void* gradient) {
  const auto& offsets = set.layout.offsets;
  const auto v = static_cast<std::size_t>(std::find(offsets.begin(), offsets.end(), first) - offsets.begin());
  const RowGradient rows{layout, static_cast<std::byte*>(gradient)};
  Part part;
  if (updates_rows_alone(compiler_.optimizer(), treatment_of(compiler_.optimizer(), set.rules[v]))) {
    part.rows = std::make_unique<RowUpdate>(compiler_, set, v, rows, numbers_of(set));
  } else {
    const Variable& variable = set.layout.variables[v];
    part.dense = std::make_unique<DenseRows>(compiler_.device(), variable, rows);
    part.bucket = make_bucket(set, first, variable.shape().elements(), part.dense->data());
  }
  parts_.push_back(std::move(part));
}

void OptimizerUpdate::begin(std::int64_t steps, Stream& stream) {
  const Optimizer& optimizer = compiler_.optimizer();
  optimizer.set_steps(steps);
  const std::int64_t accumulated = optimizer.options().gradient_accumulation_steps.value_or(1);
  steps_ = steps;
  updates_ = (steps + 1) % accumulated == 0;
  ready_ = 0;
  const auto scalars = state_.scalars();
  scalars_before_.assign(scalars.begin(), scalars.end());
  if (updates_) optimizer->advance(scalars, optimizer.iterations());
  for (const auto& numbers : numbers_) {
    numbers->set(optimizer.learning_rate(), steps, state_.loss_scale().scale, scalars, stream);
  }
}

void OptimizerUpdate::bucket_ready(std::span<const std::unique_ptr<Stream>> streams) {
  const Part& part = parts_[ready_++];
  if (part.dense) part.dense->run(*streams[0]);
  if (loss_scaling() != nullptr) return part.bucket->check(streams);
  update_part(part, streams);
}

void OptimizerUpdate::update_part(const Part& part, std::span<const std::unique_ptr<Stream>> streams) {
  if (part.rows) part.rows->run(*streams[0]);
  else if (updates_) part.bucket->begin(streams);
  else part.bucket->accumulate(streams);
}

void OptimizerUpdate::finish(std::span<const std::unique_ptr<Stream>> streams) {
  if (loss_scaling() != nullptr) {
    const bool finite = gradients_are_finite(*streams[0]);
    state_.loss_scale().update(*loss_scaling(), finite);
    if (!finite) {
      std::copy(scalars_before_.begin(), scalars_before_.end(), state_.scalars().begin());
      return;
    }
    for (const Part& part : parts_) update_part(part, streams);
  }
  if (updates_ && clips_globally()) {
    sum_->run(*streams[0]);
    for (const Part& part : parts_) part.bucket->finish(streams);  // with such a limit none is updated by rows alone
  }
  compiler_.optimizer().set_steps(steps_ + 1);
}

// Squares of float32 do not overflow in float64.
bool OptimizerUpdate::gradients_are_finite(Stream& stream) {
  double squares = 0.0;
  sum_->run(stream);
  state_.device().copy_to_host(&squares, reinterpret_cast<double*>(squares_->data()) + 3 * variables_, sizeof(squares),
                               stream);
  stream.synchronize();
  return std::isfinite(squares);
}

}  // namespace strata
