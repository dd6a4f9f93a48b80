// SPDX-License-Identifier: Apache-2.0
#include "core/training/rank_texts.h"

#include <gtest/gtest.h>

#include "tests/support/ranks.h"

namespace strata {
namespace {

/// Of other lengths on each rank, one of them none.
std::string text_of(int rank) { return std::string(static_cast<std::size_t>(rank) * 1000 % 3000, 'a' + rank); }

TEST(RankTexts, ReachAllRanksInOrder) {
  for (const int ranks : {1, 2, 5}) {
    std::vector<std::string> expected;
    for (int rank = 0; rank < ranks; ++rank) expected.push_back(text_of(rank));
    testing::run_ranks(ranks, [&](Communicator& c) {
      EXPECT_EQ(allgather_texts(c, text_of(c.rank())), expected);
      EXPECT_EQ(gather_texts(c, text_of(c.rank())), c.rank() == 0 ? expected : std::vector<std::string>());
      EXPECT_EQ(broadcast_text(c, text_of(c.rank()), ranks - 1), expected.back());
      EXPECT_EQ(broadcast_text(c, c.rank() == 0 ? "" : "other"), "");
      EXPECT_EQ(allgather_texts(c, ""), std::vector<std::string>(static_cast<std::size_t>(ranks)));
    });
  }
}

}  // namespace
}  // namespace strata
