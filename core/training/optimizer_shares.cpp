// SPDX-License-Identifier: Apache-2.0
#include "core/training/optimizer_shares.h"

#include <algorithm>
#include <numeric>

#include "core/training/update_program.h"

namespace strata {
namespace {

/// Whether the gradient of a variable may come, and be applied, by rows.
bool takes_rows(const Optimizer& optimizer, const WeightRule& rule) {
  return rule.variable.shape().rank() > 0 && updates_rows_alone(optimizer, treatment_of(optimizer, rule));
}

/// A variable may be cut after every so many of its elements.
Dim cut_unit(const Optimizer& optimizer, const WeightRule& rule) {
  const TensorSpec& spec = rule.variable.spec();
  if (!cuts_anywhere(optimizer, rule)) return std::max<Dim>(spec.shape.elements(), 1);
  const Dim line = static_cast<Dim>(64 / size_of(spec.dtype));
  if (!takes_rows(optimizer, rule)) return line;
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
  const auto at = static_cast<Dim>(static_cast<__int128>(within) * elements / std::max<Dim>(all, 1));
  return set.layout.offsets[v] + at / unit * unit;
}

/// One share a rank, for rules that look at whole variables.
Shares share_by_cost(const Optimizer& optimizer, const FlatSet& set, int ranks) {
  const std::vector<Dim> costs = slot_costs(set);
  const Dim total = std::accumulate(costs.begin(), costs.end(), Dim{0});
  Shares shares{ranks, {0}};
  std::size_t v = 0;
  Dim before = 0;  // of variables before v
  for (int r = 1; r < ranks; ++r) {
    const Dim wanted = even_part(total, ranks, r).first;
    while (v < costs.size() && before + costs[v] <= wanted) before += costs[v++];
    const Dim cut =
        v == costs.size() ? set.layout.elements : cut_variable(optimizer, set, v, wanted - before, costs[v]);
    shares.cuts.push_back(std::max(shares.cuts.back(), cut));
  }
  shares.cuts.push_back(set.layout.elements);
  return shares;
}

/// For rules that may be cut at any line, or at rows: every element costs the same.
class Rounds {
 public:
  Rounds(const Optimizer& optimizer, const FlatSet& set, int ranks) : set_(set), shares_{ranks, {0}} {
    for (const WeightRule& rule : set.rules) {
      units_.push_back(cut_unit(optimizer, rule));
      one_run_.push_back(takes_rows(optimizer, rule));
    }
    const auto bytes = std::max(kRoundBytes, static_cast<std::size_t>(ranks) * kLeastShareBytes);
    round_ = static_cast<Dim>(bytes / size_of(set.layout.dtype));
  }

  Shares cut() {
    for (std::size_t v = 0; v < units_.size(); ++v) {
      const Dim begin = set_.layout.offsets[v], end = end_of(set_.layout, v);
      const bool large = end - begin >= 2 * round_ && !one_run_[v];
      if (large) add_round(begin);
      for (Dim at = begin + round_; large && at + round_ <= end; at += round_) add_round(at);
      if (large || end - shares_.cuts.back() >= round_) add_round(end);
    }
    add_round(set_.layout.elements);
    return std::move(shares_);
  }

 private:
  static constexpr std::size_t kRoundBytes = std::size_t{1} << 20;
  static constexpr std::size_t kLeastShareBytes = 16 << 10;  // a message

  void add_round(Dim end) {
    const Dim begin = shares_.cuts.back();
    if (begin == end) return;
    for (int r = 1; r < shares_.ranks; ++r) {
      const Dim wanted = begin + even_part(end - begin, shares_.ranks, r).first;
      shares_.cuts.push_back(std::clamp(cut_before(wanted), shares_.cuts.back(), end));
    }
    shares_.cuts.push_back(end);
  }
  Dim cut_before(Dim element) const {
    const auto after = std::upper_bound(set_.layout.offsets.begin(), set_.layout.offsets.end(), element);
    const auto v = static_cast<std::size_t>(after - set_.layout.offsets.begin()) - 1;
    const Dim offset = set_.layout.offsets[v];
    return offset + (element - offset) / units_[v] * units_[v];
  }

  const FlatSet& set_;
  std::vector<Dim> units_;     // after which variables may be cut
  std::vector<bool> one_run_;  // variables that stay in one round
  Dim round_;
  Shares shares_;
};

/// Whether all slots are laid out like the variables.
bool has_plain_slots(const FlatSet& set) {
  return std::all_of(set.slots.begin(), set.slots.end(),
                     [&](const FlatSlot& slot) { return slot.offsets == set.layout.offsets; });
}

}  // namespace

bool cuts_anywhere(const Optimizer& optimizer, const WeightRule& rule) {
  return !treatment_of(optimizer, rule).whole && optimizer->scope() == UpdateScope::elementwise &&
         !clips_by_norm(optimizer.options());
}

Shares share_out(const Optimizer& optimizer, const FlatSet& set, int ranks) {
  const bool anywhere = has_plain_slots(set) && std::all_of(set.rules.begin(), set.rules.end(), [&](const auto& rule) {
                          return cuts_anywhere(optimizer, rule);
                        });
  return anywhere ? Rounds(optimizer, set, ranks).cut() : share_by_cost(optimizer, set, ranks);
}

Dim slot_element(const FlatLayout& layout, const FlatSlot& slot, Dim element) {
  if (element == layout.elements) return slot.elements;
  const auto after = std::upper_bound(layout.offsets.begin(), layout.offsets.end(), element);
  const auto v = static_cast<std::size_t>(after - layout.offsets.begin()) - 1;
  return slot.offsets[v] + element - layout.offsets[v];
}

IndexRange own_rows(const FlatSet& set, std::size_t v, Dim width, int rank) {
  const Dim rows = set.layout.variables[v].shape()[0], begin = set.layout.offsets[v];
  const auto row = [&](Dim element) { return width == 0 ? 0 : std::clamp<Dim>((element - begin) / width, 0, rows); };
  const auto& cuts = set.shares.cuts;
  const auto ranks = static_cast<std::size_t>(set.shares.ranks);
  std::size_t round = 0;
  while (cuts[round + ranks] <= begin) round += ranks;
  const std::size_t share = round + static_cast<std::size_t>(rank);
  return {row(cuts[share]), row(cuts[share + 1])};
}

}  // namespace strata
