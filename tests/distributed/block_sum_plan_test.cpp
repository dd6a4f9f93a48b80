// SPDX-License-Identifier: Apache-2.0
#include "distributed/block_sum_plan.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <string>
#include <vector>

namespace strata {
namespace {

// Partial sums as text, "((0+1)+2)": which blocks were added, and in which order.
std::string canonical_text(Dim blocks) {
  std::vector<std::string> level;
  for (Dim block = 0; block < blocks; ++block) level.push_back(std::to_string(block));
  while (level.size() > 1) {
    std::vector<std::string> next;
    for (std::size_t i = 0; i + 1 < level.size(); i += 2) next.push_back("(" + level[i] + "+" + level[i + 1] + ")");
    if (level.size() % 2 == 1) next.push_back(level.back());
    level = std::move(next);
  }
  return level.front();
}

// The two may come in either order: floating-point addition is commutative. Shown is the left node first.
std::string added(const std::string& a, const std::string& b) {
  const auto leftmost = [](const std::string& text) { return std::stoi(text.substr(text.find_first_not_of('('))); };
  return leftmost(a) < leftmost(b) ? "(" + a + "+" + b + ")" : "(" + b + "+" + a + ")";
}

struct Rank {
  std::vector<BlockSumStep> steps;
  int result;
  bool root;
  std::size_t next = 0;
  std::vector<std::string> partials;
};

class PlanRun {
 public:
  PlanRun(const std::vector<Dim>& bounds, Dim target, SumPart part = SumPart::all) {
    for (std::size_t r = 0; r + 1 < bounds.size(); ++r) {
      const BlockSumPlan plan = plan_block_sum(bounds, static_cast<int>(r), target, part);
      ranks_.push_back({plan.steps, plan.result, plan.root, 0, {}});
      for (Dim b = bounds[r]; b < bounds[r + 1]; ++b) ranks_.back().partials.push_back(std::to_string(b));
    }
  }

  // Runs all ranks until none can go on. A send waits for its receiver: the plans must not rely on buffers.
  void run() {
    for (bool moved = true; moved;) {
      moved = false;
      for (std::size_t r = 0; r < ranks_.size(); ++r) moved |= step(static_cast<int>(r));
    }
  }

  void expect_everywhere(const std::string& sum) const {
    for (const Rank& rank : ranks_) {
      EXPECT_EQ(rank.next, rank.steps.size()) << "a rank waits for ever";
      EXPECT_EQ(result_of(rank), sum);
    }
  }
  /// On all but the root: not looked at.
  void expect_on_the_root(const std::string& sum) const {
    EXPECT_EQ(std::count_if(ranks_.begin(), ranks_.end(), [](const Rank& rank) { return rank.root; }), 1);
    for (const Rank& rank : ranks_) {
      EXPECT_EQ(rank.next, rank.steps.size()) << "a rank waits for ever";
      if (rank.root) {
        EXPECT_EQ(result_of(rank), sum);
      }
    }
  }

 private:
  using Kind = BlockSumStep::Kind;

  bool step(int r) {
    Rank& rank = ranks_[static_cast<std::size_t>(r)];
    if (rank.next == rank.steps.size()) return false;
    const BlockSumStep& s = rank.steps[rank.next];
    std::string& partial = rank.partials.at(static_cast<std::size_t>(s.partial));
    if (s.kind == Kind::send) return false;  // its receiver moves it
    if (s.kind == Kind::add) {
      partial = added(partial, rank.partials.at(static_cast<std::size_t>(s.from)));
    } else {
      Rank& peer = ranks_.at(static_cast<std::size_t>(s.peer));
      if (peer.next == peer.steps.size()) return false;
      const BlockSumStep& sent = peer.steps[peer.next];
      if (sent.kind != Kind::send || sent.peer != r) return false;
      const std::string& text = peer.partials.at(static_cast<std::size_t>(sent.partial));
      partial = s.kind == Kind::receive ? text : added(partial, text);
      ++peer.next;
    }
    ++rank.next;
    return true;
  }

  static const std::string& result_of(const Rank& rank) {
    return rank.partials.at(static_cast<std::size_t>(rank.result));
  }

  std::vector<Rank> ranks_;
};

TEST(BlockSumPlan, AddsInTheCanonicalTreeOnAnyNumberOfRanks) {
  for (Dim blocks = 1; blocks <= 17; ++blocks) {
    for (int ranks = 1; ranks <= blocks; ++ranks) {
      for (Dim target = 0; target < blocks; ++target) {
        SCOPED_TRACE(std::to_string(blocks) + " blocks, " + std::to_string(ranks) + " ranks, target " +
                     std::to_string(target));
        PlanRun run(rank_bounds(blocks, ranks), target);
        run.run();
        run.expect_everywhere(canonical_text(blocks));
        PlanRun up(rank_bounds(blocks, ranks), target, SumPart::up);
        up.run();
        up.expect_on_the_root(canonical_text(blocks));
      }
    }
  }
}

TEST(BlockSumPlan, TheWayDownBringsWhatTheTargetHasToAll) {
  for (int ranks = 1; ranks <= 17; ++ranks) {
    for (int root = 0; root < ranks; ++root) {
      PlanRun run(rank_bounds(ranks, ranks), root, SumPart::down);
      run.run();
      run.expect_everywhere(std::to_string(root));
    }
  }
}

// Hosts with other numbers of ranks each.
TEST(BlockSumPlan, AddsInTheCanonicalTreeOverUnevenRuns) {
  const std::vector<std::vector<Dim>> runs = {{0, 1, 2}, {0, 3, 4, 9}, {0, 8, 9}, {0, 1, 8}, {0, 5, 6, 7, 13}};
  for (const std::vector<Dim>& bounds : runs) {
    for (Dim target = 0; target < bounds.back(); ++target) {
      PlanRun run(bounds, target);
      run.run();
      run.expect_everywhere(canonical_text(bounds.back()));
    }
  }
}

/// How many partials a rank sends on average over the roots, times the ranks.
Dim sends_of(Dim blocks, int ranks, int rank) {
  Dim sends = 0;
  for (int root = 0; root < ranks; ++root) {
    const Dim target = rank_blocks(blocks, ranks, root).first;
    for (const BlockSumStep& step : plan_block_sum(rank_bounds(blocks, ranks), rank, target).steps) {
      sends += step.kind == BlockSumStep::Kind::send ? 1 : 0;
    }
  }
  return sends;
}

// No allreduce gets by with less than 2 (P - 1) / P of the data sent by each of P ranks.
TEST(BlockSumPlan, EveryRankSendsTheLeastPossibleWhereItHoldsOneNode) {
  for (int ranks = 1; ranks <= 17; ++ranks) {
    for (const Dim each : {1, 2, 4, 8}) {
      for (int rank = 0; rank < ranks; ++rank) {
        EXPECT_EQ(sends_of(each * ranks, ranks, rank), 2 * (ranks - 1)) << each << " blocks each on " << ranks;
      }
    }
  }
}

// A rank whose blocks are several nodes of the tree sends each of them up.
TEST(BlockSumPlan, NeverSendsMoreThanItsNodes) {
  double worst = 0;
  for (Dim blocks = 1; blocks <= 64; ++blocks) {
    for (int ranks = 2; ranks <= std::min<Dim>(blocks, 17); ++ranks) {
      Dim most = 0;
      for (int rank = 0; rank < ranks; ++rank) most = std::max(most, sends_of(blocks, ranks, rank));
      worst = std::max(worst, static_cast<double>(most) / static_cast<double>(2 * (ranks - 1)));
    }
  }
  RecordProperty("worst", std::to_string(worst));
  EXPECT_LE(worst, 3.25) << "times the least possible";
}

// Five blocks on two ranks: (((0+1)+(2+3))+4), where rank 0 owns 0 and 1.
TEST(BlockSumPlan, ListsTheStepsOfARank) {
  using Kind = BlockSumStep::Kind;
  const std::vector<BlockSumStep> first = {{.kind = Kind::add, .partial = 0, .from = 1},
                                           {.kind = Kind::receive_add, .partial = 0, .peer = 1},
                                           {.kind = Kind::receive_add, .partial = 0, .peer = 1},
                                           {.kind = Kind::send, .partial = 0, .peer = 1}};
  const std::vector<BlockSumStep> second = {{.kind = Kind::add, .partial = 0, .from = 1},
                                            {.kind = Kind::send, .partial = 0, .peer = 0},
                                            {.kind = Kind::send, .partial = 2, .peer = 0},
                                            {.kind = Kind::receive, .partial = 0, .peer = 0}};
  EXPECT_EQ(plan_block_sum(rank_bounds(5, 2), 0, 0).steps, first);
  EXPECT_EQ(plan_block_sum(rank_bounds(5, 2), 1, 0).steps, second);
}

}  // namespace
}  // namespace strata
