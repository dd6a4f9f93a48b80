// SPDX-License-Identifier: Apache-2.0
// What one member of a sum over blocks does, step by step. Pure arithmetic: no communication here.
#pragma once

#include <span>
#include <vector>

#include "core/program/blocks.h"

namespace strata {

/// One step. `partial` and `from` number this member's partials, from 0.
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
  int peer = -1;  // a member

  friend bool operator==(const BlockSumStep&, const BlockSumStep&) = default;
};

/// The first block of every rank, then the number of blocks: as rank_blocks says.
std::vector<Dim> rank_bounds(Dim blocks, int ranks);

/// The steps of `member` that leave the sum over all blocks in partial 0 of every member: up the tree described at
/// BlockSumSpec to member `root`, then a broadcast from there. Members own runs of blocks: member m those from
/// bounds[m] to bounds[m + 1] - 1, at least one. They are ranks, or hosts whose ranks see each other's memory.
/// Whatever the root, the same nodes are added; who holds a node's sum depends on the root, so that over all roots each
/// member sends equally much: with one node of the tree a member (as many blocks as members, or times a power of two)
/// P - 1 partials up and P - 1 down for P roots, which is the least possible. Every member meets the messages in one
/// global order, so carrying the steps out one after the other cannot deadlock.
std::vector<BlockSumStep> plan_block_sum(std::span<const Dim> bounds, int member, int root);

}  // namespace strata
