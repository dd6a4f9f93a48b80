// SPDX-License-Identifier: Apache-2.0
// SampleTransform: what Dataset::map does to one array of every sample.
#pragma once

#include "core/training/dataset.h"

namespace strata {

/// Derive and override. Immutable; thread-safe: readers apply it to many samples at once.
class SampleTransform {
 public:
  virtual ~SampleTransform() = default;
  /// "random_flip", for messages.
  virtual std::string name() const = 0;
  /// What a row becomes; its shape is known. Throws ShapeError or DtypeError when it is not one to be transformed.
  virtual TensorSpec infer(const TensorSpec& row) const = 0;
  /// From a row as infer() took it to one as infer() gave it. What is drawn depends on `sample` alone: its index and
  /// the seed of the run.
  virtual void apply(const TensorSpec& row, const std::byte* from, std::byte* to, const SampleRef& sample) const = 0;
};

/// The samples of `source`, one array of each transformed.
SampleSourceRef make_transformed_source(SampleSourceRef source, std::shared_ptr<const SampleTransform> transform,
                                        const SampleTarget& target);

}  // namespace strata
