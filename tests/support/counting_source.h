// SPDX-License-Identifier: Apache-2.0
// A source of numbers that says which samples were read.
#pragma once

#include <atomic>
#include <chrono>
#include <functional>
#include <mutex>
#include <vector>

#include "core/training/sample_source.h"

namespace strata::testing {

/// Sample i is x = {i / rows, ..} of `width` float32 that differ, and y = {i % 3} int32.
class CountingSource final : public SampleSource {
 public:
  CountingSource(Dim rows, ChunkLayout chunks = {}, Dim width = 2);
  Dim rows() const override { return rows_; }
  const SampleSpecs& specs() const override { return specs_; }
  std::string name() const override { return "numbers"; }
  ChunkLayout chunks() const override { return chunks_; }
  void read(std::span<const SampleRef> samples, std::span<std::byte* const> to) const override;

  /// All samples that were read, in the order of reading.
  std::vector<SampleRef> seen() const;
  void forget() const;
  static float value(Dim row, Dim column, Dim rows);
  /// Called before every read, when set.
  std::function<void(std::span<const SampleRef>)> before_read;

 private:
  Dim rows_;
  ChunkLayout chunks_;
  Dim width_;
  SampleSpecs specs_;
  mutable std::mutex mutex_;
  mutable std::vector<SampleRef> seen_;
};

}  // namespace strata::testing
