// SPDX-License-Identifier: Apache-2.0
// The cases every communicator must pass, on one process and on ranks that are threads; and what happens on errors.
#include <gtest/gtest.h>

#include <atomic>
#include <chrono>
#include <functional>
#include <numeric>
#include <stdexcept>
#include <string>
#include <thread>
#include <tuple>
#include <vector>

#include "core/base/error.h"
#include "distributed/local/local_communicator.h"
#include "tests/support/communicator_cases.h"
#include "tests/support/ranks.h"

namespace strata {
namespace {

using namespace std::chrono_literals;
using testing::run_ranks;

/// How many ranks act as if on each host: those of one share memory, others exchange messages.
using Hosts = std::vector<int>;

class CommunicatorTest : public ::testing::TestWithParam<std::tuple<Hosts, testing::CommunicatorCase>> {};

TEST_P(CommunicatorTest, Case) {
  const auto& [hosts, test_case] = GetParam();
  run_ranks(std::accumulate(hosts.begin(), hosts.end(), 0), test_case.run, hosts);
}

std::string case_name(const ::testing::TestParamInfo<CommunicatorTest::ParamType>& info) {
  const auto& [hosts, test_case] = info.param;
  std::string name = std::string(test_case.name) + "_on";
  for (const int ranks : hosts) name += "_" + std::to_string(ranks);
  return name;
}

INSTANTIATE_TEST_SUITE_P(
    Local, CommunicatorTest,
    ::testing::Combine(::testing::ValuesIn(std::vector<Hosts>{
                           {1}, {2}, {3}, {5}, {1, 1}, {1, 1, 1}, {1, 1, 1, 1, 1}, {2, 2}, {3, 2}, {1, 3}, {2, 1, 1}}),
                       ::testing::ValuesIn(testing::communicator_cases().begin(), testing::communicator_cases().end())),
    case_name);

TEST(SingleCommunicator, PassesEveryCase) {
  const auto communicator = make_single_communicator();
  for (const auto& test_case : testing::communicator_cases()) {
    SCOPED_TRACE(test_case.name);
    EXPECT_NO_THROW(test_case.run(*communicator));
  }
}

TEST(Barrier, LetsNobodyThroughBeforeAllHaveCome) {
  for (int ranks = 1; ranks <= 5; ++ranks) {
    std::atomic<int> arrived = 0;
    run_ranks(ranks, [&](Communicator& c) {
      for (int round = 1; round <= 50; ++round) {
        ++arrived;
        c.barrier();
        EXPECT_EQ(arrived, round * ranks);
        c.barrier();
      }
    });
  }
}

// The error of a rank whose call `f` must fail with CommError.
template <class F>
CommError error_of(const F& f) {
  try {
    f();
  } catch (const CommError& error) {
    return error;
  }
  throw std::logic_error("expected CommError");
}

TEST(Deadline, NamesTheRankThatDoesNotCome) {
  std::atomic<bool> over = false;
  run_ranks(2, [&](Communicator& c) {
    if (c.rank() == 1) {
      while (!over) std::this_thread::sleep_for(1ms);
      return;
    }
    c.set_deadlines({200ms, 200ms});
    const auto begin = Communicator::Clock::now();
    char byte = 0;
    const CommError error = error_of([&] { c.broadcast(&byte, 1, 1); });
    const auto waited = Communicator::Clock::now() - begin;
    EXPECT_GE(waited, 200ms);
    EXPECT_LT(waited, 10s);
    EXPECT_EQ(error.rank(), 0);
    EXPECT_EQ(error.peer(), 1);
    EXPECT_EQ(error.operation(), "broadcast");
    EXPECT_EQ(std::string(error.what()),
              "rank 0 waited 0.2 s for " + c.describe(1) +
                  " in broadcast: no message. It may have died, or need longer than the deadline (STRATA_DEADLINE, "
                  "--deadline or set_deadlines) allows.");
    over = true;
  });
}

TEST(Deadline, EndsABlockSumAndTheCommunicator) {
  std::atomic<bool> over = false;
  run_ranks(3, [&](Communicator& c) {
    testing::Partials<float> partials(c, cpu_device(), 3, 100);
    const auto first = c.prepare_block_sum(cpu_device(), partials.spec());
    const auto second = c.prepare_block_sum(cpu_device(), partials.spec());
    if (c.rank() != 0) {
      while (!over) std::this_thread::sleep_for(1ms);
      return;
    }
    c.set_deadlines({100ms, 100ms});
    second->start();
    const CommError error = error_of([&] { second->wait(); });
    EXPECT_EQ(error.peer(), 1);
    EXPECT_NE(std::string(error.what()).find("in block sum 1: it has not come to it"), std::string::npos)
        << error.what();
    for (const auto& call : std::vector<std::function<void()>>{[&] { c.barrier(); }, [&] { first->start(); },
                                                               [&] { second->advance(); }, [&] { c.progress(); }}) {
      const std::string text = error_of(call).what();
      EXPECT_NE(text.find("unusable after an earlier error: " + std::string(error.what())), std::string::npos) << text;
    }
    over = true;
  });
}

TEST(Deadline, CountsFromTheLastMessage) {
  run_ranks(2, [](Communicator& c) {
    c.set_deadlines({2s, 2s});
    std::vector<char> data(std::size_t{8} << 20);  // eight pieces
    for (int round = 0; round < 8; ++round) {
      if (c.rank() == 0) std::this_thread::sleep_for(300ms);
      c.broadcast(data.data(), std::size_t{1} << 20, 0);
    }
  });
}

TEST(Deadline, ComesFromTheEnvironment) {
  const auto deadline = [](const char* text) {
    setenv("STRATA_DEADLINE", text, 1);
    const auto made = make_local_communicators(1).front()->deadlines();
    unsetenv("STRATA_DEADLINE");
    return made;
  };
  EXPECT_EQ(deadline("2.5"), (Deadlines{2500ms, 2500ms}));
  EXPECT_EQ(deadline(""), (Deadlines{60s, 10s}));
  EXPECT_EQ(make_local_communicators(1).front()->deadlines(), Deadlines());
  for (const char* text : {"soon", "-1", "0", "5x", "nan", "inf"}) EXPECT_THROW(deadline(text), ConfigError) << text;
  unsetenv("STRATA_DEADLINE");
}

TEST(LocalRanks, ARankThatReturnedEndsTheWaitsForIt) {
  run_ranks(2, [](Communicator& c) {
    if (c.rank() == 1) return;
    const auto begin = Communicator::Clock::now();
    const CommError error = error_of([&] { c.barrier(); });
    EXPECT_LT(Communicator::Clock::now() - begin, 20s);
    EXPECT_EQ(error.peer(), 1);
    EXPECT_EQ(std::string(error.what()), "rank 0 cannot finish barrier: " + c.describe(1) + " has ended.");
  });
}

TEST(LocalRanks, ARankThatThrewIsNamedByAllAndItsErrorComesOut) {
  std::atomic<int> named = 0;
  const auto run = [&](Communicator& c) {
    if (c.rank() == 2) throw IoError("train.h5", "is missing");
    const CommError error = error_of([&] {
      testing::Partials<float> partials(c, cpu_device(), 8, 300'000);
      const auto sum = c.prepare_block_sum(cpu_device(), partials.spec());
      sum->start();
      sum->wait();
    });
    if (error.peer() == 2) ++named;
    throw error;
  };
  EXPECT_THROW(run_ranks(4, run), IoError);
  EXPECT_EQ(named, 3);
}

TEST(LocalRanks, AMessageOfAnotherSizeIsAnError) {
  EXPECT_THROW(run_ranks(2,
                         [](Communicator& c) {
                           char data[8] = {};
                           c.broadcast(data, c.rank() == 0 ? 4 : 8, 0);
                           c.barrier();
                         }),
               CommError);
}

TEST(LocalRanks, ASumDestroyedUnderWayTakesItsMessagesBack) {
  run_ranks(3, [](Communicator& c) {
    {
      testing::Partials<float> partials(c, cpu_device(), 6, 300'000);
      const auto sum = c.prepare_block_sum(cpu_device(), partials.spec());
      sum->start();
      sum->advance();
      // Not waited for, as when an exception passes.
    }
    c.barrier();
  });
}

TEST(LocalRanks, RefuseAWorldOfNone) {
  EXPECT_THROW(make_local_communicators(0), ConfigError);
  EXPECT_THROW(run_ranks(-1, [](Communicator&) {}), ConfigError);
}

}  // namespace
}  // namespace strata
