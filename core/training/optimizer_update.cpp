// SPDX-License-Identifier: Apache-2.0
#include "core/training/optimizer_update.h"

#include "core/ops/ops.h"

namespace strata {

OptimizerUpdate::OptimizerUpdate(const Optimizer& optimizer, FlatState& state, int threads)
    : state_(state), compiler_(optimizer, state.device()), threads_(threads) {
  for (const FlatSet& set : state_.trainable()) variables_ += set.layout.variables.size();
  Device& device = state_.device();
  squares_ = std::make_shared<Storage>(device, (3 * variables_ + 1) * sizeof(double));
  if (!waits_for_all()) return;
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

void OptimizerUpdate::add_bucket(const FlatSet& set, Dim first, Dim count, void* gradient) {
  buckets_.push_back(std::make_unique<BucketUpdate>(compiler_, set, first, count, gradient, squares_of(set), threads_));
}

void OptimizerUpdate::begin(std::int64_t steps, Stream& stream) {
  const Optimizer& optimizer = compiler_.optimizer();
  optimizer.set_steps(steps);
  const std::int64_t accumulated = optimizer.options().gradient_accumulation_steps.value_or(1);
  steps_ = steps;
  updates_ = (steps + 1) % accumulated == 0;
  ready_ = 0;
  if (updates_) optimizer->advance(state_.scalars(), optimizer.iterations());
  for (const auto& bucket : buckets_) bucket->set_numbers(optimizer.learning_rate(), steps, state_.scalars(), stream);
}

void OptimizerUpdate::bucket_ready(std::span<const std::unique_ptr<Stream>> streams) {
  BucketUpdate& bucket = *buckets_[ready_++];
  if (updates_) bucket.begin(streams);
  else bucket.accumulate(streams);
}

void OptimizerUpdate::finish(std::span<const std::unique_ptr<Stream>> streams) {
  if (updates_ && waits_for_all()) {
    sum_->run(*streams[0]);
    for (const auto& bucket : buckets_) bucket->finish(streams);
  }
  compiler_.optimizer().set_steps(steps_ + 1);
}

}  // namespace strata
