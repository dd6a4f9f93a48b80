// SPDX-License-Identifier: Apache-2.0
// The block: the unit of work everywhere. A global batch of n samples is cut into V blocks; ranks own contiguous runs
// of blocks. Pure arithmetic, the same on every rank.
#pragma once

#include "core/base/shape.h"

namespace strata {

/// The half-open interval [first, last).
struct IndexRange {
  Dim first = 0;
  Dim last = 0;
  constexpr Dim size() const { return last - first; }
  friend bool operator==(const IndexRange&, const IndexRange&) = default;
};

/// Part `index` of `parts` nearly equal parts of [0, n): floor(index n / parts) to floor((index + 1) n / parts).
constexpr IndexRange even_part(Dim n, Dim parts, Dim index) {
  const auto cut = [&](Dim i) { return static_cast<Dim>(static_cast<__int128>(i) * n / parts); };
  return {cut(index), cut(index + 1)};
}

/// The samples of block b of a batch of n samples cut into V blocks. Empty when n < V for some b.
constexpr IndexRange block_samples(Dim n, Dim blocks, Dim b) { return even_part(n, blocks, b); }
/// The blocks that a rank owns.
constexpr IndexRange rank_blocks(Dim blocks, int ranks, int rank) { return even_part(blocks, ranks, rank); }
/// The samples of all blocks of a rank.
constexpr IndexRange rank_samples(Dim n, Dim blocks, int ranks, int rank) {
  const IndexRange own = rank_blocks(blocks, ranks, rank);
  return {even_part(n, blocks, own.first).first, even_part(n, blocks, own.last - 1).last};
}

}  // namespace strata
