// SPDX-License-Identifier: Apache-2.0
// Which rank of a sharded optimizer keeps and updates which elements of the flat buffers. Pure functions, equal on all
// ranks.
#pragma once

#include <vector>

#include "core/program/blocks.h"
#include "core/training/flat_state.h"

namespace strata {

/// Which elements of the variables of `set`, whose slots are made, each rank owns: such that its slots are about
/// equally long. Elementwise rules are cut at cache lines, in rounds of about a megabyte, so that every rank has a part
/// of what is summed at one time; where gradients may come by rows, at rows, and each rank has one run of them. Rules
/// and options that look at whole variables get whole variables, in one round.
Shares share_out(const Optimizer& optimizer, const FlatSet& set, int ranks);

/// Whether an update looks at each element of the variable by itself, so that it may be cut at any cache line.
bool cuts_anywhere(const Optimizer& optimizer, const WeightRule& rule);

/// Where the cut of `layout` at `element` lies in a slot of its variables.
Dim slot_element(const FlatLayout& layout, const FlatSlot& slot, Dim element);

/// What rank `rank` owns of the rows of variable `v`, whose rows have `width` elements.
IndexRange own_rows(const FlatSet& set, std::size_t v, Dim width, int rank);

}  // namespace strata
