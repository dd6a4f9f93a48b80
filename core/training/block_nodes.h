// SPDX-License-Identifier: Apache-2.0
// Internal to StepEngine: which nodes of the tree over blocks (BlockSumSpec) a rank can add up by itself. Pure
// arithmetic, the same on every rank.
#pragma once

#include <vector>

#include "core/program/blocks.h"

namespace strata {

/// So many blocks make a leaf of the sum over ranks: the largest power of two such that every rank owns whole leaves.
/// All blocks when there is one rank.
Dim blocks_of_leaf(Dim blocks, int ranks);
/// Leaves of all ranks.
constexpr Dim leaf_count(Dim blocks, Dim of_leaf) { return (blocks + of_leaf - 1) / of_leaf; }

/// Cuts [first, last) into the largest nodes of at most `most` blocks, a power of two.
std::vector<IndexRange> cut_into_nodes(IndexRange range, Dim most);

}  // namespace strata
