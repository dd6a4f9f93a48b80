// SPDX-License-Identifier: Apache-2.0
#include "core/program/shares.h"

#include <gtest/gtest.h>

namespace strata {
namespace {

using Ranges = std::vector<IndexRange>;

TEST(Shares, EveryRankHasOneOfEachRound) {
  const Shares shares{2, {0, 3, 8, 8, 20}};
  EXPECT_EQ(shares.elements(), 20);
  EXPECT_EQ(shares.of(0), (Ranges{{0, 3}}));
  EXPECT_EQ(shares.of(1), (Ranges{{3, 8}, {8, 20}}));
}

TEST(Shares, APartKeepsWhoHasWhat) {
  const Shares shares{3, {0, 10, 20, 30, 40, 50, 60, 70, 80, 90}};
  for (Dim first = 0; first < 90; first += 7) {
    for (Dim last = first; last <= 90; last += 3) {
      const Shares part = shares.part({first, last});
      EXPECT_EQ(part.elements(), last - first);
      EXPECT_EQ(part.cuts.size() % 3, 1U);
      for (int rank = 0; rank < 3; ++rank) {
        Ranges expected;
        for (const IndexRange own : shares.of(rank)) {
          const IndexRange in{std::max(own.first, first) - first, std::min(own.last, last) - first};
          if (in.size() > 0) expected.push_back(in);
        }
        EXPECT_EQ(part.of(rank), expected) << rank << " of " << first << " to " << last;
      }
    }
  }
}

TEST(Shares, SmallerElementsAreMore) {
  EXPECT_EQ((Shares{2, {0, 3, 8}}).scaled(4), (Shares{2, {0, 12, 32}}));
  EXPECT_TRUE(Shares{}.scaled(4).empty());
  EXPECT_EQ(Shares{}.elements(), 0);
}

}  // namespace
}  // namespace strata
