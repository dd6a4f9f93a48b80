// SPDX-License-Identifier: Apache-2.0
#include "core/training/dataset.h"

#include "core/base/error.h"

namespace strata {

Dataset Dataset::from_tensor_slices(Arrays x, Arrays y, Arrays sample_weight) {
  Dataset dataset;
  dataset.samples_ = {std::move(x), std::move(y), std::move(sample_weight)};
  return dataset;
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
  if (batch_size_ != 0) {
    throw ConfigError("Dataset::batch: expected samples, received batches of " + std::to_string(batch_size_));
  }
  Dataset batched = *this;
  batched.batch_size_ = batch_size;
  batched.drops_remainder_ = drop_remainder;
  return batched;
}

Dim Dataset::batch_size() const {
  if (batch_size_ == 0) throw ConfigError("Expected a Dataset of batches: call .batch(32), say, before using it");
  return batch_size_;
}

}  // namespace strata
