// SPDX-License-Identifier: Apache-2.0
// How ranks share elements out among them. Pure arithmetic, the same on every rank.
#pragma once

#include <vector>

#include "core/program/blocks.h"

namespace strata {

/// Elements in shares, round by round: in every round each rank has one, in the order of ranks. So every rank has some
/// of each longer stretch.
struct Shares {
  int ranks = 1;
  std::vector<Dim>
      cuts;  // ascending from 0: rank i % ranks has elements [cuts[i], cuts[i + 1]); none: nothing shared out

  bool empty() const { return cuts.empty(); }
  Dim elements() const { return cuts.empty() ? 0 : cuts.back(); }
  /// What a rank has, ascending, without empty shares.
  std::vector<IndexRange> of(int rank) const;
  /// The elements of `range` alone, the first of them at 0.
  Shares part(IndexRange range) const;
  /// The same where an element is `times` as many smaller ones.
  Shares scaled(Dim times) const;

  friend bool operator==(const Shares&, const Shares&) = default;
};

}  // namespace strata
