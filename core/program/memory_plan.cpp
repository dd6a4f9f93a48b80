// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <numeric>

#include "core/program/graph.h"

namespace strata {

std::vector<std::size_t> plan_memory(const std::vector<Lifetime>& requests, std::size_t& total) {
  constexpr std::size_t kAlignment = 64;
  const auto rounded = [](std::size_t bytes) { return (bytes + kAlignment - 1) / kAlignment * kAlignment; };
  std::vector<std::size_t> order(requests.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  std::stable_sort(order.begin(), order.end(),
                   [&](std::size_t a, std::size_t b) { return requests[a].bytes > requests[b].bytes; });

  std::vector<std::size_t> offsets(requests.size(), 0);
  std::vector<std::size_t> placed;  // by offset
  total = 0;
  for (std::size_t r : order) {
    std::size_t at = 0;
    for (std::size_t p : placed) {
      const bool together = requests[p].first <= requests[r].last && requests[r].first <= requests[p].last;
      if (!together) continue;
      if (at + rounded(requests[r].bytes) <= offsets[p]) break;
      at = std::max(at, offsets[p] + rounded(requests[p].bytes));
    }
    offsets[r] = at;
    total = std::max(total, at + rounded(requests[r].bytes));
    placed.insert(std::upper_bound(placed.begin(), placed.end(), r,
                                   [&](std::size_t a, std::size_t b) { return offsets[a] < offsets[b]; }),
                  r);
  }
  return offsets;
}

}  // namespace strata
