// SPDX-License-Identifier: Apache-2.0
// A communicator with a thread of its own does all that others do, and goes on while the rank computes.
#include <fmt/format.h>
#include <gtest/gtest.h>

#include <atomic>
#include <chrono>
#include <cstdlib>
#include <numeric>
#include <thread>
#include <tuple>
#include <vector>

#include "core/base/error.h"
#include "tests/support/communicator_cases.h"
#include "tests/support/ranks.h"

namespace strata {
namespace {

using namespace std::chrono_literals;
using testing::run_ranks;

class CommunicationThreads : public ::testing::Test {
 protected:
  CommunicationThreads() { setenv("STRATA_COMMUNICATION_THREAD", "1", 1); }
  ~CommunicationThreads() override { unsetenv("STRATA_COMMUNICATION_THREAD"); }
};

class EveryCaseWithThreads
    : public CommunicationThreads,
      public ::testing::WithParamInterface<std::tuple<std::vector<int>, testing::CommunicatorCase>> {};

TEST_P(EveryCaseWithThreads, Passes) {
  const auto& [hosts, test_case] = GetParam();
  run_ranks(std::accumulate(hosts.begin(), hosts.end(), 0), test_case.run, hosts);
}

std::string name_of_case(const ::testing::TestParamInfo<EveryCaseWithThreads::ParamType>& info) {
  const auto& [hosts, test_case] = info.param;
  return fmt::format("{}_on_{}", test_case.name, fmt::join(hosts, "_"));
}

INSTANTIATE_TEST_SUITE_P(
    Local, EveryCaseWithThreads,
    ::testing::Combine(::testing::Values(std::vector{1}, std::vector{3}, std::vector{1, 1, 1}, std::vector{2, 1}),
                       ::testing::ValuesIn(testing::communicator_cases().begin(), testing::communicator_cases().end())),
    name_of_case);

/// Rank 0 starts its part and computes until `until()`; returns whether rank 1 has got the sum by then.
bool completes_beside(const std::function<bool(const std::atomic<bool>&)>& until) {
  std::atomic<bool> complete = false, seen = false;
  run_ranks(2,
            [&](Communicator& c) {
              testing::Partials<float> partials(c, cpu_device(), 4, 300'000);
              partials.fill();
              const auto sum = c.prepare_block_sum(cpu_device(), partials.spec());
              c.barrier();
              sum->start();
              if (c.rank() == 0) {
                seen = until(complete);
              } else {
                sum->wait();
                complete = true;
              }
              sum->wait();
              partials.require_sum();
            },
            {1, 1});
  return seen;
}

TEST_F(CommunicationThreads, GoOnWhileARankComputes) {
  EXPECT_TRUE(completes_beside([](const std::atomic<bool>& complete) {
    const auto limit = std::chrono::steady_clock::now() + 20s;
    while (!complete && std::chrono::steady_clock::now() < limit) std::this_thread::yield();
    return complete.load();
  }));
}

TEST(WithoutACommunicationThread, ASumWaitsForTheRankThatComputes) {
  EXPECT_FALSE(completes_beside([](const std::atomic<bool>& complete) {
    std::this_thread::sleep_for(50ms);
    return complete.load();
  }));
}

TEST_F(CommunicationThreads, AnErrorThatTheyMeetIsThrownByTheNextCall) {
  run_ranks(2,
            [](Communicator& c) {
              testing::Partials<float> partials(c, cpu_device(), 2, 300'000);
              const auto sum = c.prepare_block_sum(cpu_device(), partials.spec());
              c.set_deadlines({.first = 5s, .step = 5s});
              c.begin_step({.epoch = 0, .step = c.rank()}, true);  // they have gone different ways
              sum->start();
              if (c.rank() == 1) {
                EXPECT_THROW(sum->wait(), CommError);
                return;
              }
              // Rank 0's thread meets it: until then the sum is under way, and starting it again refused.
              const auto limit = std::chrono::steady_clock::now() + 4s;  // rank 1 waits longer
              bool met = false;
              while (!met && std::chrono::steady_clock::now() < limit) {
                try {
                  sum->start();
                } catch (const ConfigError&) {
                  std::this_thread::sleep_for(1ms);
                } catch (const CommError&) {
                  met = true;
                }
              }
              EXPECT_TRUE(met);
            },
            {1, 1});
}

}  // namespace
}  // namespace strata
