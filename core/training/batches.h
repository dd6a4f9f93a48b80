// SPDX-License-Identifier: Apache-2.0
// The batches of a Dataset, one after the other, for training loops of one's own:
//     const Dataset data = loaders::npy("images.npy").shuffle().batch(64);
//     for (const auto& [x, y, sample_weight] : data.batches({.epochs = 5})) {
//       const auto [loss, gradients] = value_and_gradients(model, [&] { return loss_function(y, model(x)); });
//       optimizer.apply_gradients(average(gradients, model.trainable_weights(), x.samples()), model);
//     }
#pragma once

#include <iterator>
#include <memory>

#include "core/training/dataset.h"

namespace strata {

/// A part of a batch: an array for each that a sample has, in a list or by name. Where a Tensor is expected it is its
/// only array; throws ConfigError when it has none or several.
class BatchArrays : public Arrays {
 public:
  using Arrays::Arrays;
  operator const Tensor&() const;  // NOLINT(google-explicit-constructor)
  /// This rank's samples; 0 also where the batch has no such arrays.
  Dim samples() const { return empty() ? 0 : tensors()[0].shape()[0]; }
};

/// The tensors are the program's to keep.
struct SampleBatch {
  BatchArrays x = {};
  BatchArrays y = {};
  BatchArrays sample_weight = {};
};

/// What Dataset::batches() returns. Each rank gets its own samples of every batch, read ahead as prefetch() says, in
/// the order that `fit` has with this seed and in equally many batches. When the batch size is no multiple of the
/// number of ranks, and in a smaller last batch, parts differ in size, and one may be empty: a mean over ranks has to
/// be weighted by x.samples(), as GradientAverage does. To be gone through once, by one thread; not collective.
class Batches {
 public:
  Batches(const Dataset& data, const BatchesOptions& options);
  ~Batches();
  Batches(Batches&&) noexcept;
  Batches& operator=(Batches&&) noexcept;

  /// Batches of an epoch.
  Dim steps() const;
  /// The batches that are done with once the present one is, counted from the first epoch on: a run that saves it goes
  /// on, on any number of ranks, with data.batches({.position = position}).
  std::int64_t position() const;

  class Iterator {
   public:
    using value_type = SampleBatch;
    using difference_type = std::ptrdiff_t;
    explicit Iterator(Batches* batches) : batches_(batches) {}
    const SampleBatch& operator*() const { return batches_->present(); }
    const SampleBatch* operator->() const { return &batches_->present(); }
    /// Throws what reading throws.
    Iterator& operator++() {
      batches_->advance();
      return *this;
    }
    void operator++(int) { ++*this; }
    bool operator==(std::default_sentinel_t) const { return batches_->at_end(); }

   private:
    Batches* batches_;
  };
  /// Reads the first batch. Throws what reading throws.
  Iterator begin();
  std::default_sentinel_t end() const { return {}; }

 private:
  struct State;
  const SampleBatch& present() const;
  void advance();
  bool at_end() const;

  std::unique_ptr<State> state_;
};

}  // namespace strata
