// SPDX-License-Identifier: Apache-2.0
// Few cases in which every two levels of any two factors meet.
#pragma once

#include <algorithm>
#include <set>
#include <tuple>
#include <vector>

namespace strata::testing {

/// Cases as levels, one a factor: factor f has levels[f] of them. Greedy, and equal in every run.
inline std::vector<std::vector<int>> pairwise_cover(const std::vector<int>& levels) {
  using Pair = std::tuple<std::size_t, int, std::size_t, int>;  // factor and level, of the earlier factor first
  std::set<Pair> open;
  for (std::size_t f = 0; f < levels.size(); ++f) {
    for (std::size_t g = f + 1; g < levels.size(); ++g) {
      for (int a = 0; a < levels[f]; ++a) {
        for (int b = 0; b < levels[g]; ++b) open.emplace(f, a, g, b);
      }
    }
  }
  const auto pair = [](std::size_t f, int a, std::size_t g, int b) {
    return f < g ? Pair{f, a, g, b} : Pair{g, b, f, a};
  };
  std::vector<std::vector<int>> cases;
  while (!open.empty()) {
    std::vector<int> made(levels.size(), -1);
    const auto [first, a, second, b] = *open.begin();
    made[first] = a;
    made[second] = b;
    for (std::size_t f = 0; f < levels.size(); ++f) {
      if (made[f] >= 0) continue;
      std::vector<std::size_t> gains(static_cast<std::size_t>(levels[f]), 0);
      for (std::size_t g = 0; g < levels.size(); ++g) {
        if (made[g] < 0) continue;
        for (int level = 0; level < levels[f]; ++level) {
          gains[static_cast<std::size_t>(level)] += open.count(pair(f, level, g, made[g]));
        }
      }
      made[f] = static_cast<int>(std::max_element(gains.begin(), gains.end()) - gains.begin());
    }
    for (std::size_t f = 0; f < levels.size(); ++f) {
      for (std::size_t g = f + 1; g < levels.size(); ++g) open.erase(pair(f, made[f], g, made[g]));
    }
    cases.push_back(std::move(made));
  }
  return cases;
}

}  // namespace strata::testing
