// SPDX-License-Identifier: Apache-2.0
#include "tests/support/pairwise.h"

#include <algorithm>
#include <set>
#include <tuple>

namespace strata::testing {
namespace {

using Pair = std::tuple<std::size_t, int, std::size_t, int>;  // a column and a value, a later column and a value

constexpr int kOpen = -1;  // a value that is still to be chosen

Pair pair_of(std::size_t a, int x, std::size_t b, int y) { return a < b ? Pair{a, x, b, y} : Pair{b, y, a, x}; }

std::set<Pair> all_pairs(const std::vector<int>& sizes) {
  std::set<Pair> pairs;
  for (std::size_t a = 0; a < sizes.size(); ++a) {
    for (std::size_t b = a + 1; b < sizes.size(); ++b) {
      for (int x = 0; x < sizes[a]; ++x) {
        for (int y = 0; y < sizes[b]; ++y) pairs.insert({a, x, b, y});
      }
    }
  }
  return pairs;
}

/// The pairs of `missing` that the row would bring with this value of this column.
std::vector<Pair> brought(const std::set<Pair>& missing, const std::vector<int>& row, std::size_t column, int value) {
  std::vector<Pair> pairs;
  for (std::size_t other = 0; other < row.size(); ++other) {
    if (other == column || row[other] == kOpen) continue;
    const Pair pair = pair_of(column, value, other, row[other]);
    if (missing.contains(pair)) pairs.push_back(pair);
  }
  return pairs;
}

/// The value that brings most; among equals the one after `last`, so that all have their turn.
int best_value(const std::set<Pair>& missing, const std::vector<int>& row, std::size_t column, int size, int last) {
  int best = (last + 1) % size;
  for (int i = 1; i < size; ++i) {
    const int value = (last + 1 + i) % size;
    if (brought(missing, row, column, value).size() > brought(missing, row, column, best).size()) best = value;
  }
  return best;
}

}  // namespace

CaseRows all_rows(const std::vector<int>& sizes) {
  CaseRows rows{std::vector<int>(sizes.size(), 0)};
  for (;;) {
    std::vector<int> row = rows.back();
    std::size_t column = sizes.size();
    while (column > 0 && ++row[column - 1] == sizes[column - 1]) row[--column] = 0;
    if (column == 0) return rows;
    rows.push_back(row);
  }
}

CaseRows pairwise_rows(const std::vector<int>& sizes) {
  if (sizes.size() < 2) return all_rows(sizes);
  std::set<Pair> missing = all_pairs(sizes);
  CaseRows rows;
  while (!missing.empty()) {
    std::vector<int> row(sizes.size(), kOpen);
    const auto [a, x, b, y] = *missing.begin();
    row[a] = x;
    row[b] = y;
    for (std::size_t column = 0; column < sizes.size(); ++column) {
      if (row[column] != kOpen) continue;
      row[column] = best_value(missing, row, column, sizes[column], rows.empty() ? kOpen : rows.back()[column]);
    }
    for (std::size_t column = 0; column < sizes.size(); ++column) {
      for (const Pair& pair : brought(missing, row, column, row[column])) missing.erase(pair);
    }
    rows.push_back(row);
  }
  return rows;
}

}  // namespace strata::testing
