// SPDX-License-Identifier: Apache-2.0
// The additions of the fixed tree over blocks, where all partials are in one process's reach.
#pragma once

#include <cstddef>

namespace strata {

/// Calls add(to, from) for the additions of the tree described at BlockSumSpec; the sum ends at block 0. On each level
/// the node that begins at block i takes the one that begins `half` blocks later.
template <class F>
void for_each_tree_sum(std::size_t blocks, const F& add) {
  for (std::size_t half = 1; half < blocks; half *= 2) {
    for (std::size_t i = 0; i + half < blocks; i += 2 * half) add(i, i + half);
  }
}

}  // namespace strata
