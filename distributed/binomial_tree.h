// SPDX-License-Identifier: Apache-2.0
// The binomial tree over ranks 0 to size - 1, rooted at 0, along which a broadcast takes ceil(log2(size)) rounds.
#pragma once

#include <bit>

namespace strata {

/// The rank that `rank` (at least 1) receives from: its number without the lowest set bit.
constexpr int binomial_parent(int rank) { return rank & (rank - 1); }

/// Calls f(child) for the ranks that `rank` sends to, the one with the largest subtree first.
template <class F>
void for_each_binomial_child(int rank, int size, F&& f) {
  const int limit = rank == 0 ? static_cast<int>(std::bit_ceil(static_cast<unsigned>(size))) : rank & -rank;
  for (int step = limit / 2; step > 0; step /= 2) {
    if (rank + step < size) f(rank + step);
  }
}

}  // namespace strata
