// SPDX-License-Identifier: Apache-2.0
// SampleSource: where the samples of a Dataset come from when they are not arrays in memory. io/ has those that read
// files; a program may have its own.
#pragma once

#include <cstddef>
#include <memory>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "core/base/dtype.h"
#include "core/base/shape.h"
#include "core/tensor/tensor.h"

namespace strata {

/// One sample to read.
struct SampleRef {
  Dim row = 0;             // in [0, rows())
  std::int64_t index = 0;  // the global sample index of the run: what random transforms are drawn with, and
  std::uint64_t seed = 0;  // the run's
};

/// One array of a sample. Axis 0, that of the samples, is left out.
struct SampleArray {
  TensorSpec row = {};
  std::string name = {};  // by which models take it; empty in a list
};

/// What a sample consists of. Names are given to all arrays of a list, or to none.
struct SampleSpecs {
  std::vector<SampleArray> x = {};
  std::vector<SampleArray> y = {};
  std::vector<SampleArray> sample_weight = {};

  /// x, then y, then sample_weight.
  std::vector<SampleArray> all() const;
};

/// Which samples are read together. A shuffle goes through chunks in a random order, through `open` of them at once.
struct ChunkLayout {
  Dim rows = 1;                   // of a chunk; 1 = every sample can be read by itself, and a shuffle is exact
  std::vector<Dim> starts = {0};  // rows at which chunks begin anew: those of files, ascending from 0
  Dim open = 1;                   // chunks that the source can hold at once, over all its readers
};

/// Immutable to its users. Thread-safe: several threads read at once.
class SampleSource {
 public:
  virtual ~SampleSource() = default;
  virtual Dim rows() const = 0;
  virtual const SampleSpecs& specs() const = 0;
  /// For messages: the file, say.
  virtual std::string name() const = 0;
  virtual ChunkLayout chunks() const { return {}; }
  /// Writes array k (see SampleSpecs::all) of samples[i] to to[k] + i row bytes; arrays whose to[k] is null are not
  /// wanted. Throws IoError for what cannot be read, IoError or ConfigError for what does not fit.
  virtual void read(std::span<const SampleRef> samples, std::span<std::byte* const> to) const = 0;
  /// Bytes of samples that this process has read from files, unpacked.
  virtual std::int64_t bytes_read() const { return 0; }
};

using SampleSourceRef = std::shared_ptr<const SampleSource>;

/// The samples of another source, changed: derive, say how they are read and, in specs_, what they are.
class DerivedSource : public SampleSource {
 public:
  explicit DerivedSource(SampleSourceRef source) : source_(std::move(source)), specs_(source_->specs()) {}
  Dim rows() const override { return source_->rows(); }
  const SampleSpecs& specs() const override { return specs_; }
  std::string name() const override { return source_->name(); }
  ChunkLayout chunks() const override { return source_->chunks(); }
  std::int64_t bytes_read() const override { return source_->bytes_read(); }

 protected:
  SampleSourceRef source_;
  SampleSpecs specs_;
};

}  // namespace strata
