// SPDX-License-Identifier: Apache-2.0
#include "core/training/optimizer_shares.h"

#include <algorithm>
#include <numeric>

#include "core/training/update_program.h"

namespace strata {
namespace {

/// A variable may be cut after every so many of its elements.
Dim cut_unit(const Optimizer& optimizer, const WeightRule& rule) {
  const TensorSpec& spec = rule.variable.spec();
  if (!cuts_anywhere(optimizer, rule)) return std::max<Dim>(spec.shape.elements(), 1);
  const Dim line = static_cast<Dim>(64 / size_of(spec.dtype));
  if (spec.shape.rank() == 0 || !updates_rows_alone(optimizer, treatment_of(optimizer, rule))) return line;
  return std::lcm(line, std::max<Dim>(spec.shape.slice(1, spec.shape.rank()).elements(), 1));
}

/// Elements of all slots of every variable: what its update costs and its share weighs.
std::vector<Dim> slot_costs(const FlatSet& set) {
  std::vector<Dim> costs(set.layout.variables.size(), 0);
  for (const FlatSlot& slot : set.slots) {
    for (std::size_t v = 0; v < costs.size(); ++v) costs[v] += slot.shapes[v] ? slot.shapes[v]->elements() : 0;
  }
  return costs;
}

Dim end_of(const FlatLayout& layout, std::size_t v) {
  return v + 1 < layout.offsets.size() ? layout.offsets[v + 1] : layout.elements;
}

/// The element before which about `cost` lies; `within` of it in variable v, whose elements cost `all` together.
Dim cut_variable(const Optimizer& optimizer, const FlatSet& set, std::size_t v, Dim within, Dim all) {
  const Dim elements = set.layout.variables[v].shape().elements();
  const Dim unit = cut_unit(optimizer, set.rules[v]);
  if (unit >= elements) return 2 * within < all ? set.layout.offsets[v] : end_of(set.layout, v);
  const auto at = static_cast<Dim>(static_cast<__int128>(within) * elements / all);
  return set.layout.offsets[v] + at / unit * unit;
}

}  // namespace

bool cuts_anywhere(const Optimizer& optimizer, const WeightRule& rule) {
  return !treatment_of(optimizer, rule).whole && optimizer->scope() == UpdateScope::elementwise &&
         !clips_by_norm(optimizer.options());
}

std::vector<Dim> share_cuts(const Optimizer& optimizer, const FlatSet& set, int ranks) {
  const std::vector<Dim> costs = slot_costs(set);
  const Dim total = std::accumulate(costs.begin(), costs.end(), Dim{0});
  std::vector<Dim> cuts{0};
  std::size_t v = 0;
  Dim before = 0;  // of variables before v
  for (int r = 1; r < ranks; ++r) {
    const Dim wanted = even_part(total, ranks, r).first;
    while (v < costs.size() && before + costs[v] <= wanted) before += costs[v++];
    const Dim cut =
        v == costs.size() ? set.layout.elements : cut_variable(optimizer, set, v, wanted - before, costs[v]);
    cuts.push_back(std::max(cuts.back(), cut));
  }
  cuts.push_back(set.layout.elements);
  return cuts;
}

Dim slot_element(const FlatLayout& layout, const FlatSlot& slot, Dim element) {
  if (element == layout.elements) return slot.elements;
  const auto after = std::upper_bound(layout.offsets.begin(), layout.offsets.end(), element);
  const auto v = static_cast<std::size_t>(after - layout.offsets.begin()) - 1;
  return slot.offsets[v] + element - layout.offsets[v];
}

IndexRange own_rows(const FlatSet& set, std::size_t v, Dim width, int rank) {
  const Dim rows = set.layout.variables[v].shape()[0];
  const auto row = [&](Dim cut) {
    return width == 0 ? 0 : std::clamp<Dim>((cut - set.layout.offsets[v]) / width, 0, rows);
  };
  const auto r = static_cast<std::size_t>(rank);
  return {row(set.cuts[r]), row(set.cuts[r + 1])};
}

}  // namespace strata
