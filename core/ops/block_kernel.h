// SPDX-License-Identifier: Apache-2.0
// Kernels that can serve several blocks of a batch in one go, so that what these share passes through the cache once.
#pragma once

#include <span>

#include "core/ops/kernel.h"

namespace strata {

/// What a Kernel of one output may be besides. Immutable, as it is.
class BlockKernel {
 public:
  static constexpr std::size_t kMostBlocks = 16;

  virtual ~BlockKernel() = default;
  /// Whether run_blocks() adds the outputs up.
  virtual bool adds() const = 0;
  /// Of the matrix that the blocks have in common: read, or when adds() written.
  virtual std::size_t common_bytes() const = 0;
  /// Up to kMostBlocks blocks of one shape; the scratch memory is that of the first. The bits are those of run() on
  /// each block; when adds(), the first output takes the sum of all in the tree of BlockSumSpec, and the others are not
  /// touched.
  virtual void run_blocks(std::span<const KernelArgs> blocks) const = 0;
};

}  // namespace strata
