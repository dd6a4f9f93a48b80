// SPDX-License-Identifier: Apache-2.0
#include "core/training/block_nodes.h"

#include <gtest/gtest.h>

namespace strata {
namespace {

TEST(BlockNodes, ALeafIsTheLargestNodeThatEveryRankOwnsWhole) {
  EXPECT_EQ(blocks_of_leaf(8, 1), 8);
  EXPECT_EQ(blocks_of_leaf(8, 2), 4);
  EXPECT_EQ(blocks_of_leaf(8, 3), 1);  // 0, 2, 5
  EXPECT_EQ(blocks_of_leaf(8, 8), 1);
  EXPECT_EQ(blocks_of_leaf(12, 2), 2);
  EXPECT_EQ(blocks_of_leaf(6, 2), 1);
  EXPECT_EQ(blocks_of_leaf(5, 1), 8);
  EXPECT_EQ(blocks_of_leaf(1, 1), 1);
}

TEST(BlockNodes, RanksOwnTheirBlocksAsLeaves) {
  for (Dim blocks = 1; blocks <= 64; ++blocks) {
    for (int ranks = 1; ranks <= blocks; ++ranks) {
      SCOPED_TRACE(std::to_string(blocks) + " blocks, " + std::to_string(ranks) + " ranks");
      const Dim of_leaf = blocks_of_leaf(blocks, ranks), leaves = leaf_count(blocks, of_leaf);
      for (int rank = 0; rank < ranks; ++rank) {
        const IndexRange own = rank_blocks(blocks, ranks, rank), own_leaves = rank_blocks(leaves, ranks, rank);
        EXPECT_EQ(own.first, own_leaves.first * of_leaf);
        EXPECT_EQ(own.last, std::min(own_leaves.last * of_leaf, blocks));
      }
    }
  }
}

TEST(BlockNodes, RangesAreCutIntoTheLargestNodes) {
  using Nodes = std::vector<IndexRange>;
  EXPECT_EQ(cut_into_nodes({0, 8}, 16), (Nodes{{0, 8}}));
  EXPECT_EQ(cut_into_nodes({0, 8}, 2), (Nodes{{0, 2}, {2, 4}, {4, 6}, {6, 8}}));
  EXPECT_EQ(cut_into_nodes({2, 5}, 16), (Nodes{{2, 4}, {4, 5}}));
  EXPECT_EQ(cut_into_nodes({5, 8}, 16), (Nodes{{5, 6}, {6, 8}}));
  EXPECT_EQ(cut_into_nodes({0, 7}, 4), (Nodes{{0, 4}, {4, 6}, {6, 7}}));
  EXPECT_EQ(cut_into_nodes({3, 3}, 4), Nodes{});
}

}  // namespace
}  // namespace strata
