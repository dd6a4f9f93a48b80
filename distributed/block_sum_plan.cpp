// SPDX-License-Identifier: Apache-2.0
#include "distributed/block_sum_plan.h"

#include <algorithm>

#include "distributed/binomial_tree.h"

namespace strata {

namespace {

using Kind = BlockSumStep::Kind;

/// Adds up the tree, level by level.
class Reduction {
 public:
  Reduction(std::span<const Dim> bounds, int member) : bounds_(bounds), member_(member) {
    for (Dim block = 0; block < blocks(); ++block) holders_.push_back(block);
  }

  /// The sum ends in the partial of block `target`: of two nodes that are added, the sum goes to the left one's holder
  /// or the right one's, as the level's bit of `target` says. On the way from `target` to the top that is always the
  /// node with `target` in it, and elsewhere it spreads the work.
  std::vector<BlockSumStep> to(Dim target) {
    for (Dim half = 1; half < blocks(); half *= 2) {
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
    const int receiver = owner(to), sender = owner(from);
    if (receiver == member_ && sender == member_) {
      steps_.push_back({.kind = Kind::add, .partial = local(to), .from = local(from)});
    } else if (receiver == member_) {
      steps_.push_back({.kind = Kind::receive_add, .partial = local(to), .peer = sender});
    } else if (sender == member_) {
      steps_.push_back({.kind = Kind::send, .partial = local(from), .peer = receiver});
    }
  }
  Dim blocks() const { return bounds_.back(); }
  int owner(Dim block) const {
    return static_cast<int>(std::upper_bound(bounds_.begin(), bounds_.end(), block) - bounds_.begin()) - 1;
  }
  int local(Dim block) const { return static_cast<int>(block - bounds_[static_cast<std::size_t>(member_)]); }

  std::span<const Dim> bounds_;
  int member_;
  std::vector<Dim> holders_;  // of the nodes of a level, the block whose partial has a node's sum
  std::vector<BlockSumStep> steps_;
};

}  // namespace

std::vector<Dim> rank_bounds(Dim blocks, int ranks) {
  std::vector<Dim> bounds{0};
  for (int rank = 0; rank < ranks; ++rank) bounds.push_back(rank_blocks(blocks, ranks, rank).last);
  return bounds;
}

int BlockSumPlan::sends_up() const {
  const auto end = steps.begin() + static_cast<std::ptrdiff_t>(up);
  return static_cast<int>(
      std::count_if(steps.begin(), end, [](const BlockSumStep& step) { return step.kind == Kind::send; }));
}

BlockSumPlan plan_block_sum(std::span<const Dim> bounds, int member, Dim target, SumPart part) {
  const int members = static_cast<int>(bounds.size()) - 1;
  const int root = static_cast<int>(std::upper_bound(bounds.begin(), bounds.end(), target) - bounds.begin()) - 1;
  BlockSumPlan plan;
  plan.root = member == root;
  if (plan.root) plan.result = static_cast<int>(target - bounds[static_cast<std::size_t>(root)]);
  std::vector<BlockSumStep>& steps = plan.steps;
  if (part != SumPart::down) steps = Reduction(bounds, member).to(target);
  plan.up = steps.size();
  if (part == SumPart::up) return plan;
  const int position = (member - root + members) % members;
  const auto at = [&](int p) { return (p + root) % members; };
  if (position > 0) steps.push_back({.kind = Kind::receive, .partial = 0, .peer = at(binomial_parent(position))});
  for_each_binomial_child(position, members, [&](int child) {
    steps.push_back({.kind = Kind::send, .partial = plan.result, .peer = at(child)});
  });
  return plan;
}

}  // namespace strata
