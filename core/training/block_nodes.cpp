// SPDX-License-Identifier: Apache-2.0
#include "core/training/block_nodes.h"

#include <bit>

namespace strata {

Dim blocks_of_leaf(Dim blocks, int ranks) {
  if (ranks == 1) return static_cast<Dim>(std::bit_ceil(static_cast<std::uint64_t>(blocks)));
  std::uint64_t bits = static_cast<std::uint64_t>(blocks);
  for (int rank = 1; rank < ranks; ++rank) bits |= static_cast<std::uint64_t>(rank_blocks(blocks, ranks, rank).first);
  return Dim{1} << std::countr_zero(bits);
}

std::vector<IndexRange> cut_into_nodes(IndexRange range, Dim most) {
  std::vector<IndexRange> nodes;
  for (Dim at = range.first; at < range.last; at = nodes.back().last) {
    Dim size = 1;
    while (2 * size <= most && at % (2 * size) == 0 && at + 2 * size <= range.last) size *= 2;
    nodes.push_back({at, at + size});
  }
  return nodes;
}

}  // namespace strata
