// SPDX-License-Identifier: Apache-2.0
// How a batch is cut into blocks: in equal parts, or as its samples lie on the ranks.
#pragma once

#include <algorithm>
#include <span>

#include "core/program/blocks.h"

namespace strata {

/// A view of `limits`; cheap to copy.
class BatchBlocks {
 public:
  /// Nearly equal parts: see block_samples.
  BatchBlocks(Dim size, Dim blocks) : size_(size), blocks_(blocks) {}
  /// Block b holds samples limits[b] to limits[b + 1] - 1. `limits` begins with 0, does not fall, and outlives this.
  explicit BatchBlocks(std::span<const Dim> limits)
      : size_(limits.back()), blocks_(static_cast<Dim>(limits.size()) - 1), limits_(limits) {}

  Dim size() const { return size_; }
  bool even() const { return limits_.empty(); }
  IndexRange samples(Dim block) const {
    if (even()) return block_samples(size_, blocks_, block);
    return {limits_[static_cast<std::size_t>(block)], limits_[static_cast<std::size_t>(block) + 1]};
  }
  /// Of consecutive blocks, at least one.
  IndexRange samples(IndexRange blocks) const { return {samples(blocks.first).first, samples(blocks.last - 1).last}; }
  /// The samples of the largest block.
  Dim largest() const {
    if (even()) return (size_ + blocks_ - 1) / blocks_;
    Dim most = 0;
    for (Dim b = 0; b < blocks_; ++b) most = std::max(most, samples(b).size());
    return most;
  }

 private:
  Dim size_;
  Dim blocks_;
  std::span<const Dim> limits_;
};

}  // namespace strata
