// SPDX-License-Identifier: Apache-2.0
// Dataset: samples that come with their order and their batches.
//     auto data = Dataset::from_tensor_slices(x, y).shuffle().batch(64);
//     model.fit(data, {.epochs = 2});
#pragma once

#include <chrono>

#include "core/tensor/arrays.h"
#include "core/training/sample_source.h"

namespace strata {

class Batches;
class Communicator;

/// How batches are read ahead of the step that needs them. Arrays in memory are used where they stand, without it.
struct PrefetchOptions {
  int threads = 1;  // that read and decode; 0 = none: the step reads its own batch
  Dim batches = 2;  // in memory at once, that of the present step included
  // How long a step waits for its batch before that is an IoError.
  std::chrono::steady_clock::duration deadline = std::chrono::seconds(300);
};

/// Data, its targets, and the weights of its samples, one row a sample.
struct Samples {
  Arrays x = {};
  Arrays y = {};
  Arrays sample_weight = {};
  SampleSourceRef source = {};    // instead of arrays
  PrefetchOptions prefetch = {};  // of the source
  bool empty() const { return x.empty() && source == nullptr; }
};

class SampleTransform;

/// An array of a sample.
struct SampleTarget {
  enum class Part : std::uint8_t { x, y, sample_weight };
  Part part = Part::x;
  int index = 0;          // in the list
  std::string name = {};  // instead of the index: in a dictionary
};

/// Which batches a loop of one's own goes through.
struct BatchesOptions {
  std::int64_t epochs = 1;
  std::int64_t position = 0;             // batches that come before the first one, over all epochs; see Batches
  Communicator* communicator = nullptr;  // whose ranks share a batch; null = the session's. Outlives the loop
};

/// A value; copies share the arrays. Thread-safe.
class Dataset {
 public:
  /// Lists or by name; targets and weights may be missing.
  static Dataset from_tensor_slices(Arrays x, Arrays y = {}, Arrays sample_weight = {});
  /// Samples that are read when they are needed: each rank reads those of its own part of every batch.
  static Dataset from_source(SampleSourceRef source);
  /// The x of several datasets as x, y and sample_weight of one. Throws ConfigError when they differ in their numbers
  /// of samples, or have batches.
  static Dataset zip(const Dataset& x, const Dataset& y);
  static Dataset zip(const Dataset& x, const Dataset& y, const Dataset& sample_weight);
  /// Changes one array of every sample whenever it is read; see core/training/transforms.h. Throws ConfigError for a
  /// dataset that has batches, or not that array; ShapeError or DtypeError where the transform does not take it.
  Dataset map(const std::shared_ptr<const SampleTransform>& transform, const SampleTarget& target = {}) const;
  /// The samples in another order every epoch, which depends on the seed and the epoch, and never on the number of
  /// ranks: a permutation of all of them; of a source in chunks, a permutation of the chunks and one within each,
  /// several chunks at a time (see SampleOrder).
  Dataset shuffle() const;
  /// `batch_size` samples a step, over all ranks together; the last batch may be smaller, or is left out (of shuffled
  /// samples: after the shuffle, so other ones in every epoch). Throws ConfigError for less than 1, and for a dataset
  /// that has batches.
  Dataset batch(Dim batch_size, bool drop_remainder = false) const;
  /// Throws ConfigError for fewer than 0 threads or 1 batch.
  Dataset prefetch(const PrefetchOptions& options) const;
  /// This rank's part of one batch after the other, for loops of one's own: see core/training/batches.h. Throws
  /// ConfigError for a dataset without batches, or of too few samples for one, and for options that do not fit.
  Batches batches(const BatchesOptions& options = {}) const;

  const Samples& samples() const { return samples_; }
  /// The samples as a source, whatever they come from.
  SampleSourceRef source() const;
  bool shuffles() const { return shuffles_; }
  /// Throws ConfigError when batch() was not called.
  Dim batch_size() const;
  bool drops_remainder() const { return drops_remainder_; }

  /// For validation_data, which has the batches of the training.
  operator const Samples&() const { return samples_; }  // NOLINT(google-explicit-constructor)

 private:
  Dataset() = default;
  void require_samples(const char* caller) const;
  void require_zippable() const;

  Samples samples_;
  bool shuffles_ = false;
  Dim batch_size_ = 0;  // 0 = not batched
  bool drops_remainder_ = false;
};

}  // namespace strata
