// SPDX-License-Identifier: Apache-2.0
#include "distributed/block_sum_plan.h"

#include "distributed/binomial_tree.h"

namespace strata {

std::vector<BlockSumStep> plan_block_sum(Dim blocks, int ranks, int rank) {
  using Kind = BlockSumStep::Kind;
  std::vector<BlockSumStep> steps;
  const IndexRange own = rank_blocks(blocks, ranks, rank);
  const auto local = [&](Dim block) { return static_cast<int>(block - own.first); };
  // A node is named by its leftmost block; on each level it takes its sibling, which begins `half` blocks later.
  for (Dim half = 1; half < blocks; half *= 2) {
    for (Dim left = 0; left + half < blocks; left += 2 * half) {
      const Dim right = left + half;
      const int left_owner = block_owner(blocks, ranks, left);
      const int right_owner = block_owner(blocks, ranks, right);
      if (left_owner == rank && right_owner == rank) {
        steps.push_back({.kind = Kind::add, .partial = local(left), .from = local(right)});
      } else if (left_owner == rank) {
        steps.push_back({.kind = Kind::receive_add, .partial = local(left), .peer = right_owner});
      } else if (right_owner == rank) {
        steps.push_back({.kind = Kind::send, .partial = local(right), .peer = left_owner});
      }
    }
  }
  if (rank > 0) steps.push_back({.kind = Kind::receive, .partial = 0, .peer = binomial_parent(rank)});
  for_each_binomial_child(rank, ranks,
                          [&](int child) { steps.push_back({.kind = Kind::send, .partial = 0, .peer = child}); });
  return steps;
}

}  // namespace strata
