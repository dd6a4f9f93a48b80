// SPDX-License-Identifier: Apache-2.0
// How a sum over blocks is cut into pieces that are on their way one beside the other. Pure arithmetic.
#pragma once

#include <vector>

#include "core/program/communicator.h"
#include "distributed/block_sum_plan.h"
#include "distributed/sum_group.h"

namespace strata {

/// The pieces are equal on all ranks, the plans those of this rank's group. Without shares the pieces' sums come
/// together in one group after the other, so that all of them send equally much at once; with shares, in the first
/// partial of the rank whose share a piece belongs to.
struct SumPieces {
  struct Piece {
    std::size_t offset;  // bytes, as the next
    std::size_t bytes;
    std::size_t plan;
  };
  /// A short message costs its latency, a long one keeps the others waiting. Up to 64 KB with their headers they go at
  /// once over Open MPI's TCP (btl_tcp_eager_limit); longer ones first ask whether they may, and the answer queues
  /// behind others' data: 58 instead of 95 % of a slow link's rate. The first piece of all is the
  /// shortest: its messages carry the stamp, so they are copied. Those of a whole sum reach every group; of half a sum
  /// some group notices what is wrong, and the others hear of it in their next wait.
  static constexpr std::size_t kSmallest = 16 * 1024;
  static constexpr std::size_t kLargest = 60 * 1024;
  /// Without messages: what a core keeps in its cache while it adds.
  static constexpr std::size_t kShared = 64 * 1024;

  std::vector<Piece> pieces;
  std::vector<BlockSumPlan> plans;
};

/// Of `spec` over so many ranks. Without shares the first piece's sum comes together in group `first_root`. Nothing to
/// do where there are no elements, or one block.
SumPieces cut_sum(const BlockSumSpec& spec, const SumGroups& groups, int ranks, int first_root, SumPart part);

}  // namespace strata
