// SPDX-License-Identifier: Apache-2.0
#include "core/program/shares.h"

#include <algorithm>

namespace strata {

std::vector<IndexRange> Shares::of(int rank) const {
  std::vector<IndexRange> own;
  const auto step = static_cast<std::size_t>(ranks);
  for (auto i = static_cast<std::size_t>(rank); i + 1 < cuts.size(); i += step) {
    if (cuts[i] < cuts[i + 1]) own.push_back({cuts[i], cuts[i + 1]});
  }
  return own;
}

Shares Shares::part(IndexRange range) const {
  Shares result{ranks, {0}};
  const auto step = static_cast<std::size_t>(ranks);
  for (std::size_t round = 0; round + step < cuts.size(); round += step) {
    if (cuts[round + step] <= range.first || cuts[round] >= range.last) continue;
    for (std::size_t r = 1; r <= step; ++r) {
      result.cuts.push_back(std::clamp(cuts[round + r], range.first, range.last) - range.first);
    }
  }
  return result;
}

Shares Shares::scaled(Dim times) const {
  Shares result = *this;
  for (Dim& cut : result.cuts) cut *= times;
  return result;
}

}  // namespace strata
