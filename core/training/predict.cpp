// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <cstring>

#include "core/base/error.h"
#include "core/training/batch_feed.h"
#include "core/training/trainer.h"

namespace strata {
namespace {

/// The rows of one output, collected batch by batch: all of them on rank 0, or every rank's own.
class Collector {
 public:
  Collector(const TensorSpec& output, Dim rows, const PredictOptions& options, Communicator& communicator)
      : row_{output.shape.slice(1, output.shape.rank()), output.dtype},
        communicator_(communicator),
        local_(options.local) {
    if (!local_ && communicator.rank() == 0) bytes_.resize(static_cast<std::size_t>(rows) * row_bytes());
  }

  void add(const std::byte* own, Dim first, Dim size, Dim blocks) {
    const int ranks = communicator_.size();
    const IndexRange mine = rank_samples(size, blocks, ranks, communicator_.rank());
    if (local_) {
      bytes_.insert(bytes_.end(), own, own + static_cast<std::size_t>(mine.size()) * row_bytes());
      return;
    }
    std::vector<void*> receive;
    std::vector<std::size_t> sizes;
    for (int r = 0; r < ranks; ++r) {
      const IndexRange range = rank_samples(size, blocks, ranks, r);
      sizes.push_back(static_cast<std::size_t>(range.size()) * row_bytes());
      const auto offset = static_cast<std::size_t>(first + range.first) * row_bytes();
      receive.push_back(communicator_.rank() == 0 ? bytes_.data() + offset : nullptr);
    }
    communicator_.gather(own, static_cast<std::size_t>(mine.size()) * row_bytes(), receive, sizes, 0);
  }

  Tensor result() const {
    const Dim rows = row_bytes() == 0 ? 0 : static_cast<Dim>(bytes_.size() / row_bytes());
    return constant_bytes(bytes_.data(), bytes_.size(), {Shape{rows}.concat(row_.shape), row_.dtype});
  }

 private:
  std::size_t row_bytes() const { return row_.bytes(); }

  TensorSpec row_;
  Communicator& communicator_;
  bool local_;
  std::vector<std::byte> bytes_;
};

}  // namespace

std::vector<Tensor> Trainer::predict(const Arrays& x, const PredictOptions& options, const DataUse& use) {
  if (options.batch_size < 1) {
    throw ConfigError("predict: expected a batch_size of at least 1, received " + std::to_string(options.batch_size));
  }
  const CheckedArrays data = checked(nullptr, {x, {}, {}, use.source, use.prefetch}).batched(options.batch_size, use);
  require_equal(communicator_,
                std::to_string(data.rows) + " samples, batch_size " + std::to_string(options.batch_size) + ", local " +
                    std::to_string(options.local),
                "prediction");
  const auto held = engine(StepKind::predict, data.specs, {.blocks = options.blocks});
  StepEngine& step = *held;
  step.prepare(std::min(options.batch_size, data.rows));
  SampleProgress bar(data.rows, options.batch_size, communicator_.rank() == 0 ? options.verbose : 0, use.counts_steps);
  std::vector<Collector> collectors;
  for (const TensorSpec& output : step.prediction_specs()) {
    collectors.emplace_back(output, data.rows, options, communicator_);
  }
  BatchFeed feed(data, {.batch_size = options.batch_size}, session_.seed(), step.blocks(), communicator_);
  for (Dim number = 0; number < feed.steps(); ++number) {
    const Batch batch = feed.batch(0, number);
    const Dim first = number * options.batch_size;
    step.run(batch, nullptr, 0);
    for (std::size_t k = 0; k < collectors.size(); ++k) {
      collectors[k].add(step.predictions(k), first, batch.size, step.blocks());
    }
    bar.update(first + batch.size, {});
  }
  bar.finish({});
  std::vector<Tensor> results;
  for (const Collector& collector : collectors) results.push_back(collector.result());
  return results;
}

}  // namespace strata
