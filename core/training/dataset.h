// SPDX-License-Identifier: Apache-2.0
// Dataset: samples that come with their order and their batches.
//     auto data = Dataset::from_tensor_slices(x, y).shuffle().batch(64);
//     model.fit(data, {.epochs = 2});
#pragma once

#include "core/training/host_array.h"

namespace strata {

/// Data, its targets, and the weights of its samples, one row a sample.
struct Samples {
  Arrays x = {};
  Arrays y = {};
  Arrays sample_weight = {};
};

/// A value; copies share the arrays. Thread-safe.
class Dataset {
 public:
  /// Lists or by name; targets and weights may be missing.
  static Dataset from_tensor_slices(Arrays x, Arrays y = {}, Arrays sample_weight = {});
  /// The samples in another order every epoch: a permutation of all of them that depends on the seed and the epoch.
  Dataset shuffle() const;
  /// `batch_size` samples a step, over all ranks together; the last batch may be smaller, or is left out. Throws
  /// ConfigError for less than 1, and for a dataset that has batches.
  Dataset batch(Dim batch_size, bool drop_remainder = false) const;

  const Samples& samples() const { return samples_; }
  bool shuffles() const { return shuffles_; }
  /// Throws ConfigError when batch() was not called.
  Dim batch_size() const;
  bool drops_remainder() const { return drops_remainder_; }

  /// For validation_data, which has the batches of the training.
  operator const Samples&() const { return samples_; }  // NOLINT(google-explicit-constructor)

 private:
  Dataset() = default;

  Samples samples_;
  bool shuffles_ = false;
  Dim batch_size_ = 0;  // 0 = not batched
  bool drops_remainder_ = false;
};

}  // namespace strata
