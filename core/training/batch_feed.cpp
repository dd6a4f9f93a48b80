// SPDX-License-Identifier: Apache-2.0
#include "core/training/batch_feed.h"

namespace strata {

SampleOrder order_of(const CheckedArrays& data, const FeedOptions& options, std::uint64_t seed) {
  const ChunkLayout chunks = data.source == nullptr ? ChunkLayout() : data.source->chunks();
  return {data.rows, options.batch_size, options.shuffle, chunks, seed};
}

BatchFeed::BatchFeed(const CheckedArrays& data, const FeedOptions& options, std::uint64_t seed, Dim blocks,
                     const Communicator& communicator)
    : data_(data),
      plan_{data.rows,           options.batch_size,  options.steps, blocks,
            communicator.size(), communicator.rank(), options.epochs},
      seed_(seed),
      shuffle_(options.shuffle) {
  if (plan_.steps == 0) plan_.steps = batches_of(plan_.rows, plan_.batch_size);
  if (data.source == nullptr) return;
  loader_ = std::make_unique<BatchLoader>(data.source, order_of(data, options, seed), plan_, data.prefetch);
}

Batch BatchFeed::batch(std::int64_t epoch, Dim step) {
  const Dim first = step * plan_.batch_size;
  Batch batch{
      .arrays = data_.arrays, .first = first, .size = plan_.size(step), .sample_base = epoch * plan_.rows + first};
  if (loader_ != nullptr) {
    const TimelineSpan span(TimelineRecorder::current(), TimelineCategory::load, 0, "wait for data");
    batch.arrays = loader_->load(epoch, step);
    batch.first = -plan_.own(step).first;
  } else if (shuffle_) {
    if (epoch != epoch_) order_.emplace(plan_.rows, seed_, static_cast<std::uint64_t>(epoch));
    epoch_ = epoch;
    batch.order = &*order_;
  }
  return batch;
}

}  // namespace strata
