// SPDX-License-Identifier: Apache-2.0
// Bad input for mnist_mlp, and how it has to end.
#pragma once

#include <algorithm>
#include <functional>
#include <ostream>

#include "tests/programs/mnist_mlp.h"

namespace strata::testing {

/// Within which a program has to end.
constexpr double kBadInputSeconds = 5;

struct BadInput {
  std::string name;
  Arguments options;
  std::vector<std::string> said;  // parts of the line
  std::function<void(const TemporaryDirectory&)> damage = {};

  friend void PrintTo(const BadInput& bad, std::ostream* out) { *out << bad.name; }
};

inline void expect_one_line(const std::string& err, const BadInput& bad) {
  EXPECT_EQ(std::count(err.begin(), err.end(), '\n'), 1) << err;
  for (const std::string& part : bad.said) EXPECT_PRED_FORMAT2(::testing::IsSubstring, part, err);
}

/// Rank 0 alone says it.
inline void expect_failed(const MpiOutcome& outcome, const BadInput& bad) {
  EXPECT_NE(outcome.status, 0) << outcome.text();
  EXPECT_LT(outcome.seconds, kBadInputSeconds);
  expect_one_line(outcome.ranks.at(0).err, bad);
  for (std::size_t r = 1; r < outcome.ranks.size(); ++r) {
    EXPECT_EQ(outcome.ranks[r].err + outcome.ranks[r].out, "") << "of rank " << r;
  }
}

}  // namespace strata::testing
