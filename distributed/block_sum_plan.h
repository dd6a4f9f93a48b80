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

/// The whole of a sum, or one of its halves.
enum class SumPart {
  all,
  up,   // partials come together where the sum is wanted: a reduce-scatter
  down  // from where it is it goes to all members: an allgather
};

struct BlockSumPlan {
  std::vector<BlockSumStep> steps;
  std::size_t up = 0;  // how many of them, the first ones, add up; the others bring the sum to the members
  bool root = false;   // whether the sum comes together here
  int result = 0;      // the partial that has the sum in the end; of a plan that only goes up, on the root

  int sends_up() const;
};

/// The steps of `member` that leave the sum over all blocks in one partial of every member: up the tree described at
/// BlockSumSpec to the partial of block `target`, then a broadcast from there to partial 0 of the other members.
/// Members own runs of blocks: member m those from bounds[m] to bounds[m + 1] - 1, at least one. They are ranks, or
/// hosts whose ranks see each other's memory. Whatever the target, the same nodes are added; who holds a node's sum
/// depends on it, so that over targets on all members each sends equally much: with one node of the tree a member (as
/// many blocks as members, or times a power of two) P - 1 partials up and P - 1 down for P targets, which is the least
/// possible. Every member meets the messages in one global order, so carrying the steps out one after the other cannot
/// deadlock.
BlockSumPlan plan_block_sum(std::span<const Dim> bounds, int member, Dim target, SumPart part = SumPart::all);

}  // namespace strata
