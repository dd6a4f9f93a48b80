// SPDX-License-Identifier: Apache-2.0
// What one rank does, step by step, in a sum over blocks. Pure arithmetic: no communication here.
#pragma once

#include <vector>

#include "core/program/blocks.h"

namespace strata {

/// One step. `partial` and `from` number this rank's partials, from 0.
struct BlockSumStep {
  enum class Kind {
    add,          // partial += from
    send,         // partial goes to `peer`
    receive_add,  // partial += what `peer` sends
    receive       // partial = what `peer` sends
  };
  Kind kind;
  int partial;
  int from = -1;
  int peer = -1;

  friend bool operator==(const BlockSumStep&, const BlockSumStep&) = default;
};

/// The rank that owns `block`, the inverse of rank_blocks.
constexpr int block_owner(Dim blocks, int ranks, Dim block) {
  return static_cast<int>((static_cast<__int128>(block + 1) * ranks - 1) / blocks);
}

/// The steps of `rank` that leave the sum over all blocks in partial 0 of every rank: up the tree described at
/// BlockSumSpec to rank `root`, then a broadcast from there. Whatever the root, the same nodes are added; who holds a
/// node's sum depends on the root, so that over all roots each rank sends equally much: with one node of the tree a
/// rank (blocks = ranks, or ranks times a power of two) P - 1 partials up and P - 1 down for P roots, which is the
/// least possible. Every rank meets the messages in one global order, so carrying the steps out one after the other
/// cannot deadlock. REQUIRES: 1 <= ranks <= blocks; 0 <= rank, root < ranks.
std::vector<BlockSumStep> plan_block_sum(Dim blocks, int ranks, int rank, int root);

}  // namespace strata
