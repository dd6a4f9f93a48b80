// SPDX-License-Identifier: Apache-2.0
#include "distributed/block_sum_plan.h"

#include "distributed/binomial_tree.h"

namespace strata {

namespace {

using Kind = BlockSumStep::Kind;

/// Adds up the tree, level by level.
class Reduction {
 public:
  Reduction(Dim blocks, int ranks, int rank) : blocks_(blocks), ranks_(ranks), rank_(rank) {
    for (Dim block = 0; block < blocks; ++block) holders_.push_back(block);
  }

  /// The sum ends in the partial of block `target`: of two nodes that are added, the sum goes to the left one's holder
  /// or the right one's, as the level's bit of `target` says. On the way from `target` to the top that is always the
  /// node with `target` in it, and elsewhere it spreads the work.
  std::vector<BlockSumStep> to(Dim target) {
    for (Dim half = 1; half < blocks_; half *= 2) {
      const bool right = (target & half) != 0;
      std::vector<Dim> next;
      for (std::size_t i = 0; i + 1 < holders_.size(); i += 2) {
        next.push_back(holders_[right ? i + 1 : i]);
        add(next.back(), holders_[right ? i : i + 1]);
      }
      if (holders_.size() % 2 == 1) next.push_back(holders_.back());
      holders_ = std::move(next);
    }
    return std::move(steps_);
  }

 private:
  /// The partial of block `from` to that of block `to`.
  void add(Dim to, Dim from) {
    const int receiver = block_owner(blocks_, ranks_, to), sender = block_owner(blocks_, ranks_, from);
    if (receiver == rank_ && sender == rank_) {
      steps_.push_back({.kind = Kind::add, .partial = local(to), .from = local(from)});
    } else if (receiver == rank_) {
      steps_.push_back({.kind = Kind::receive_add, .partial = local(to), .peer = sender});
    } else if (sender == rank_) {
      steps_.push_back({.kind = Kind::send, .partial = local(from), .peer = receiver});
    }
  }
  int local(Dim block) const { return static_cast<int>(block - rank_blocks(blocks_, ranks_, rank_).first); }

  Dim blocks_;
  int ranks_;
  int rank_;
  std::vector<Dim> holders_;  // of the nodes of a level, the block whose partial has a node's sum
  std::vector<BlockSumStep> steps_;
};

}  // namespace

std::vector<BlockSumStep> plan_block_sum(Dim blocks, int ranks, int rank, int root) {
  std::vector<BlockSumStep> steps = Reduction(blocks, ranks, rank).to(rank_blocks(blocks, ranks, root).first);
  const int position = (rank - root + ranks) % ranks;
  const auto at = [&](int p) { return (p + root) % ranks; };
  if (position > 0) steps.push_back({.kind = Kind::receive, .partial = 0, .peer = at(binomial_parent(position))});
  for_each_binomial_child(position, ranks,
                          [&](int child) { steps.push_back({.kind = Kind::send, .partial = 0, .peer = at(child)}); });
  return steps;
}

}  // namespace strata
