// SPDX-License-Identifier: Apache-2.0
// The example that trains inside a program with an MPI of its own.
#include <gtest/gtest.h>

#include <cstdlib>
#include <regex>

#include "tests/support/process.h"

namespace strata::testing {
namespace {

/// The losses that it printed, in order.
std::vector<double> losses_in(const std::string& text) {
  static const std::regex pattern("step \\d+: \\d+ of 500 particles on rank 0, loss ([0-9.]+)");
  std::vector<double> losses;
  for (std::sregex_iterator line(text.begin(), text.end(), pattern), end; line != end; ++line) {
    losses.push_back(std::strtod((*line)[1].str().c_str(), nullptr));
  }
  return losses;
}

TEST(MpiSimulation, LearnsFromTheParticlesOfAllRanks) {
  const MpiOutcome outcome = run_mpi(4, {{STRATA_BIN_DIR "/mpi_simulation"}});
  ASSERT_TRUE(outcome.succeeded()) << outcome.text();
  const auto losses = losses_in(outcome.ranks.at(0).out);
  ASSERT_EQ(losses.size(), 7u) << outcome.text();
  EXPECT_LT(losses.back(), losses.front() / 10);
  EXPECT_NE(outcome.ranks.at(0).out.find("Total params: 1,185"), std::string::npos) << "the table of the layers";
  for (std::size_t rank = 1; rank < 4; ++rank) EXPECT_EQ(outcome.ranks.at(rank).out + outcome.ranks.at(rank).err, "");
}

}  // namespace
}  // namespace strata::testing
