// SPDX-License-Identifier: Apache-2.0
#include "core/training/same_instructions.h"

#include <gtest/gtest.h>

#include "core/base/error.h"
#include "core/ops/instruction_sets.h"
#include "tests/support/expect_error.h"
#include "tests/support/ranks.h"

namespace strata {
namespace {

using testing::run_ranks;

TEST(SameInstructions, EqualRanksMayTrain) {
  run_ranks(3, [](Communicator& communicator) { require_same_instructions(communicator, instruction_sets()); });
}

TEST(SameInstructions, OthersAreRefusedOnEveryRankAndNamed) {
  const std::vector<std::string> sets{"x86-64-v4", "x86-64-v3", "x86-64-v4"};
  run_ranks(3, [&](Communicator& communicator) {
    testing::expect_error_with<ConfigError>(
        [&] { require_same_instructions(communicator, sets[static_cast<std::size_t>(communicator.rank())]); },
        "received x86-64-v4 on " + communicator.describe(0) + " and 1 more; x86-64-v3 on " + communicator.describe(1) +
            ".");
  });
}

TEST(SameInstructions, AllPartsAreNamed) {
  const std::string sets = instruction_sets();
  for (const char* part : {"oneDNN ", "libxsmm"}) EXPECT_NE(sets.find(part), std::string::npos) << sets;
  EXPECT_LT(sets.size(), 255u);
}

TEST(SameInstructions, LongTextsAreComparedAsFarAsTheyAreSent) {
  run_ranks(2, [](Communicator& communicator) { require_same_instructions(communicator, std::string(1000, 'x')); });
}

}  // namespace
}  // namespace strata
