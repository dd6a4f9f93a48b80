// SPDX-License-Identifier: Apache-2.0
#include "distributed/sum_pieces.h"

#include <algorithm>

namespace strata {
namespace {

using Piece = SumPieces::Piece;

/// Two pieces a group where that makes them neither short nor long. A multiple of what a cache line holds.
std::size_t choose_piece(std::size_t bytes, int groups) {
  if (groups == 1) return SumPieces::kShared;
  const std::size_t line = 64, share = bytes / (2 * static_cast<std::size_t>(groups));
  return std::clamp(share / line * line, SumPieces::kSmallest, SumPieces::kLargest);
}

std::vector<Piece> pieces_of(IndexRange bytes, std::size_t most, std::size_t plan) {
  std::vector<Piece> pieces;
  const auto end = static_cast<std::size_t>(bytes.last);
  for (auto at = static_cast<std::size_t>(bytes.first); at < end; at += most) {
    pieces.push_back({at, std::min(most, end - at), plan});
  }
  return pieces;
}

/// The first block of every group, then the number of blocks.
std::vector<Dim> group_bounds(const BlockSumSpec& spec, const SumGroups& groups, int ranks) {
  std::vector<Dim> bounds;
  for (int group = 0; group < groups.groups(); ++group) {
    bounds.push_back(rank_blocks(spec.blocks, ranks, groups.first(group)).first);
  }
  bounds.push_back(spec.blocks);
  return bounds;
}

/// The lists' first pieces, then their second ones: so all ranks have some under way.
std::vector<Piece> interleave(const std::vector<std::vector<Piece>>& lists) {
  std::vector<Piece> pieces;
  for (std::size_t i = 0, before = 1; pieces.size() != before; ++i) {
    before = pieces.size();
    for (const auto& list : lists) {
      if (i < list.size()) pieces.push_back(list[i]);
    }
  }
  return pieces;
}

/// The plans take turns.
void add_evenly(SumPieces& to, std::size_t bytes, std::size_t most) {
  to.pieces = pieces_of({0, static_cast<Dim>(bytes)}, most, 0);
  for (std::size_t i = 0; i < to.pieces.size(); ++i) to.pieces[i].plan = i % to.plans.size();
}

/// The ranks that have shares take turns; each has one plan, in their order.
void add_shares(SumPieces& to, const Shares& bytes, std::size_t most) {
  std::vector<std::vector<Piece>> of_ranks;
  for (int rank = 0; rank < bytes.ranks; ++rank) {
    const std::vector<IndexRange> own = bytes.of(rank);
    if (own.empty()) continue;
    std::vector<Piece> pieces;
    for (const IndexRange range : own) {
      const auto more = pieces_of(range, most, of_ranks.size());
      pieces.insert(pieces.end(), more.begin(), more.end());
    }
    of_ranks.push_back(std::move(pieces));
  }
  to.pieces = interleave(of_ranks);
}

/// What carries the stamp is copied.
void shorten_first(std::vector<Piece>& pieces) {
  Piece& first = pieces.front();
  if (first.bytes <= SumPieces::kSmallest) return;
  const Piece rest{first.offset + SumPieces::kSmallest, first.bytes - SumPieces::kSmallest, first.plan};
  first.bytes = SumPieces::kSmallest;
  pieces.insert(pieces.begin() + 1, rest);
}

/// The blocks in whose partials sums come together.
std::vector<Dim> targets(const BlockSumSpec& spec, const std::vector<Dim>& bounds, int ranks, int first_root) {
  std::vector<Dim> result;
  for (int rank = 0; rank < ranks && !spec.shares.empty(); ++rank) {
    if (!spec.shares.of(rank).empty()) result.push_back(rank_blocks(spec.blocks, ranks, rank).first);
  }
  const std::size_t groups = bounds.size() - 1;
  for (std::size_t i = 0; i < groups && spec.shares.empty(); ++i) {
    result.push_back(bounds[(static_cast<std::size_t>(first_root) + i) % groups]);
  }
  return result;
}

}  // namespace

SumPieces cut_sum(const BlockSumSpec& spec, const SumGroups& groups, int ranks, int first_root, SumPart part) {
  SumPieces result;
  const std::size_t bytes = static_cast<std::size_t>(spec.count) * size_of(spec.dtype);
  if (bytes == 0 || spec.blocks == 1) return result;
  const std::vector<Dim> bounds = group_bounds(spec, groups, ranks);
  for (const Dim target : targets(spec, bounds, ranks, first_root)) {
    result.plans.push_back(plan_block_sum(bounds, groups.own, target, part));
  }
  const std::size_t most = choose_piece(bytes, groups.groups());
  if (spec.shares.empty()) add_evenly(result, bytes, most);
  else add_shares(result, spec.shares.scaled(static_cast<Dim>(size_of(spec.dtype))), most);
  if (groups.groups() > 1) shorten_first(result.pieces);
  return result;
}

}  // namespace strata
