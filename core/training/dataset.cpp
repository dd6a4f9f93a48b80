// SPDX-License-Identifier: Apache-2.0
#include "core/training/dataset.h"

#include "core/base/error.h"
#include "core/training/memory_source.h"
#include "core/training/sample_transform.h"
#include "core/training/zipped_source.h"

namespace strata {

Dataset Dataset::from_tensor_slices(Arrays x, Arrays y, Arrays sample_weight) {
  Dataset dataset;
  dataset.samples_.x = std::move(x);
  dataset.samples_.y = std::move(y);
  dataset.samples_.sample_weight = std::move(sample_weight);
  return dataset;
}

Dataset Dataset::from_source(SampleSourceRef source) {
  if (source == nullptr) throw ConfigError("Dataset::from_source: expected a source, received none");
  Dataset dataset;
  dataset.samples_.source = std::move(source);
  return dataset;
}

void Dataset::require_zippable() const {
  require_samples("zip");
  if (!shuffles_) return;
  throw ConfigError("Dataset::zip: expected samples as they stand, received shuffled ones: zip, then shuffle");
}

Dataset Dataset::zip(const Dataset& x, const Dataset& y) {
  x.require_zippable();
  y.require_zippable();
  return from_source(make_zipped_source({{x.source()}}, {{y.source()}}, {}));
}

Dataset Dataset::zip(const Dataset& x, const Dataset& y, const Dataset& sample_weight) {
  for (const Dataset* part : {&x, &y, &sample_weight}) part->require_zippable();
  return from_source(make_zipped_source({{x.source()}}, {{y.source()}}, {{sample_weight.source()}}));
}

Dataset Dataset::map(const std::shared_ptr<const SampleTransform>& transform, const SampleTarget& target) const {
  require_samples("map");
  if (transform == nullptr) throw ConfigError("Dataset::map: expected a transform, received none");
  Dataset mapped = *this;
  mapped.samples_.x = mapped.samples_.y = mapped.samples_.sample_weight = {};
  mapped.samples_.source = make_transformed_source(source(), transform, target);
  return mapped;
}

Dataset Dataset::shuffle() const {
  if (batch_size_ != 0) throw ConfigError("Dataset::shuffle: expected samples, received batches: shuffle, then batch");
  Dataset shuffled = *this;
  shuffled.shuffles_ = true;
  return shuffled;
}

Dataset Dataset::batch(Dim batch_size, bool drop_remainder) const {
  if (batch_size < 1) {
    throw ConfigError("Dataset::batch: expected a batch_size of at least 1, received " + std::to_string(batch_size));
  }
  require_samples("batch");
  Dataset batched = *this;
  batched.batch_size_ = batch_size;
  batched.drops_remainder_ = drop_remainder;
  return batched;
}

Dataset Dataset::prefetch(const PrefetchOptions& options) const {
  if (options.threads < 0 || options.batches < 1) {
    throw ConfigError("Dataset::prefetch: expected at least 0 threads and 1 batch, received " +
                      std::to_string(options.threads) + " and " + std::to_string(options.batches));
  }
  Dataset ahead = *this;
  ahead.samples_.prefetch = options;
  return ahead;
}

SampleSourceRef Dataset::source() const { return samples_.source ? samples_.source : make_memory_source(samples_); }

Dim Dataset::batch_size() const {
  if (batch_size_ == 0) throw ConfigError("Expected a Dataset of batches: call .batch(32), say, before using it");
  return batch_size_;
}

void Dataset::require_samples(const char* caller) const {
  if (batch_size_ == 0) return;
  throw ConfigError(std::string("Dataset::") + caller + ": expected samples, received batches of " +
                    std::to_string(batch_size_));
}

}  // namespace strata
