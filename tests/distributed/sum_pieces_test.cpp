// SPDX-License-Identifier: Apache-2.0
#include "distributed/sum_pieces.h"

#include <gtest/gtest.h>

#include <algorithm>

namespace strata {
namespace {

SumGroups groups_of(const std::vector<int>& hosts) {
  SumGroups groups;
  groups.bounds = {0};
  for (const int ranks : hosts) groups.bounds.push_back(groups.bounds.back() + ranks);
  return groups;
}

/// Of float32, of which every rank has two shares, or which all need.
BlockSumSpec spec_of(Dim count, int ranks, bool shared) {
  BlockSumSpec spec{Dtype::float32, count, 2 * ranks, {}};
  if (!shared) return spec;
  spec.shares = {ranks, {0}};
  for (const IndexRange round : {IndexRange{0, count / 3}, IndexRange{count / 3, count}}) {
    for (int r = 0; r < ranks; ++r) {
      spec.shares.cuts.push_back(round.first + even_part(round.size(), ranks, r).last);
    }
  }
  return spec;
}

void expect_whole(const SumPieces& cut, Dim count, std::size_t longest) {
  std::vector<SumPieces::Piece> pieces = cut.pieces;
  std::ranges::sort(pieces, {}, &SumPieces::Piece::offset);
  std::size_t end = 0;
  for (const SumPieces::Piece& piece : pieces) {
    EXPECT_EQ(piece.offset, end);
    EXPECT_GT(piece.bytes, 0U);
    EXPECT_LE(piece.bytes, longest);
    EXPECT_LT(piece.plan, cut.plans.size());
    end += piece.bytes;
  }
  EXPECT_EQ(end, static_cast<std::size_t>(count) * sizeof(float));
}

TEST(SumPieces, CoverEveryByteOnceInMessagesThatGoAtOnce) {
  for (const std::vector<int>& hosts : {std::vector{3}, std::vector{1, 1}, std::vector{2, 3, 1}}) {
    const SumGroups groups = groups_of(hosts);
    for (const Dim count : {1, 16, 5'000, 16'384, 1'000'003}) {
      for (const bool shared : {false, true}) {
        SCOPED_TRACE(std::to_string(count) + " on " + std::to_string(hosts.size()) +
                     " hosts, shares: " + std::to_string(shared));
        const SumPieces cut = cut_sum(spec_of(count, groups.bounds.back(), shared), groups, groups.bounds.back(), 0,
                                      shared ? SumPart::up : SumPart::all);
        expect_whole(cut, count, hosts.size() == 1 ? SumPieces::kShared : SumPieces::kLargest);
        if (hosts.size() > 1) {
          EXPECT_LE(cut.pieces.front().bytes, SumPieces::kSmallest);
        }
      }
    }
  }
}

TEST(SumPieces, OfAShareComeTogetherOnItsRank) {
  SumGroups groups = groups_of({2, 2});
  const BlockSumSpec spec = spec_of(400'000, 4, true);
  for (groups.own = 0; groups.own < 2; ++groups.own) {
    const SumPieces cut = cut_sum(spec, groups, 4, 0, SumPart::up);
    for (const SumPieces::Piece& piece : cut.pieces) {
      int owner = 0;
      for (int rank = 0; rank < 4; ++rank) {
        for (const IndexRange own : spec.shares.of(rank)) {
          if (static_cast<std::size_t>(own.first) * 4 <= piece.offset &&
              piece.offset < static_cast<std::size_t>(own.last) * 4)
            owner = rank;
        }
      }
      const BlockSumPlan& plan = cut.plans[piece.plan];
      EXPECT_EQ(plan.root, owner / 2 == groups.own);
      if (plan.root) {
        EXPECT_EQ(plan.result, owner % 2 * 2) << "its first partial among those of its host";
      }
    }
  }
}

TEST(SumPieces, OfAllTakeTurnsInWhereTheyComeTogether) {
  const SumGroups groups = groups_of({1, 1, 1});
  const SumPieces cut = cut_sum(spec_of(100'000, 3, false), groups, 3, 1, SumPart::all);
  ASSERT_EQ(cut.plans.size(), 3U);
  EXPECT_TRUE(cut.plans[2].root) << "the first piece's root is rank 1";
  std::vector<std::size_t> bytes(3);
  for (const SumPieces::Piece& piece : cut.pieces) bytes[piece.plan] += piece.bytes;
  const auto [least, most] = std::ranges::minmax(bytes);
  EXPECT_LE(most - least, SumPieces::kLargest);
}

TEST(SumPieces, ThereAreNoneWhereNothingIsToBeDone) {
  const SumGroups groups = groups_of({1});
  EXPECT_TRUE(cut_sum({Dtype::float32, 0, 2, {}}, groups, 1, 0, SumPart::all).pieces.empty());
  EXPECT_TRUE(cut_sum({Dtype::float32, 10, 1, {}}, groups, 1, 0, SumPart::all).pieces.empty());
}

}  // namespace
}  // namespace strata
