// SPDX-License-Identifier: Apache-2.0
// Few rows of a table of cases in which every two values of different columns meet.
#pragma once

#include <vector>

namespace strata::testing {

/// The row of each case gives the place of its value in each column; `sizes` (at least 1) are how many values the
/// columns have. The same rows every time.
using CaseRows = std::vector<std::vector<int>>;

/// Every combination; the last column changes fastest.
CaseRows all_rows(const std::vector<int>& sizes);
/// Rows in which each value of each column stands beside each value of each other column at least once.
CaseRows pairwise_rows(const std::vector<int>& sizes);

}  // namespace strata::testing
