// SPDX-License-Identifier: Apache-2.0
// Ranks that go different ways: every one of them gets a CommError that says so, long before a deadline.
#include <gtest/gtest.h>

#include <atomic>
#include <chrono>
#include <functional>
#include <numeric>
#include <string>
#include <thread>
#include <vector>

#include "core/base/error.h"
#include "tests/support/communicator_cases.h"
#include "tests/support/ranks.h"

namespace strata {
namespace {

using namespace std::chrono_literals;
using Hosts = std::vector<int>;

/// Runs `act` on every rank and returns the errors, which all ranks must have within a few seconds.
std::vector<std::string> errors_of(const Hosts& hosts, const std::function<void(Communicator&)>& act) {
  const int ranks = std::accumulate(hosts.begin(), hosts.end(), 0);
  std::vector<std::string> errors(static_cast<std::size_t>(ranks));
  std::atomic<int> failed = 0;
  testing::run_ranks(
      ranks,
      [&](Communicator& c) {
        const auto begin = Communicator::Clock::now();
        try {
          act(c);
        } catch (const CommError& error) {
          errors[static_cast<std::size_t>(c.rank())] = error.what();
        }
        EXPECT_LT(Communicator::Clock::now() - begin, 10s);
        // A rank that returned would be an error of its own for the others.
        for (++failed; failed < ranks;) std::this_thread::sleep_for(1ms);
      },
      hosts);
  return errors;
}

/// One rank at least tells the two ways apart; the others have it from there.
void expect_diverged(const std::vector<std::string>& errors, const std::string& one, const std::string& other) {
  int first_hand = 0;
  for (const std::string& error : errors) {
    EXPECT_PRED_FORMAT2(::testing::IsSubstring, "the ranks have gone different ways: rank ", error);
    EXPECT_PRED_FORMAT2(::testing::IsSubstring, one, error);
    EXPECT_PRED_FORMAT2(::testing::IsSubstring, other, error);
    first_hand += error.starts_with("the ranks have gone different ways") ? 1 : 0;
  }
  EXPECT_GE(first_hand, 1);
}

class Divergence : public ::testing::TestWithParam<Hosts> {};

TEST_P(Divergence, OfCollectives) {
  const auto errors = errors_of(GetParam(), [](Communicator& c) {
    std::vector<int> all(static_cast<std::size_t>(c.size()));
    c.barrier();
    const int own = c.rank();
    if (c.rank() == 1) c.broadcast(all.data(), sizeof(int), 0);
    else c.allgather(&own, all.data(), sizeof own);
    c.barrier();
  });
  expect_diverged(errors, "its call 2, broadcast of 4 bytes", "its call 2, allgather of 4 bytes");
}

// Messages of a sum and of a barrier never meet: the ranks tell each other what they wait in.
TEST_P(Divergence, OfASumAndACollective) {
  const auto errors = errors_of(GetParam(), [](Communicator& c) {
    testing::Partials<float> partials(c, cpu_device(), c.size(), 100'000);
    const auto sum = c.prepare_block_sum(cpu_device(), partials.spec());
    if (c.rank() == c.size() - 1) c.barrier();
    sum->start();
    sum->wait();
  });
  expect_diverged(errors, "barrier of 0 bytes", "block sum of 400000 bytes");
}

// The last rank has lost a step: its sums would go together with those of the others.
void run_in_different_steps(Communicator& c, PreparedCollective& sum) {
  for (int step = 0; step < 5; ++step) {
    const bool late = c.rank() == c.size() - 1 && step == 4;
    const CommunicatorStep scope(c, {0, late ? step - 1 : step}, step == 0);
    sum.start();
    sum.wait();
  }
  c.barrier();  // of half a sum a rank that only sends hears of it here
}

void sum_in_different_steps(Communicator& c, Dim count, const Shares& shares = {}) {
  testing::Partials<float> partials(c, cpu_device(), c.size(), count);
  BlockSumSpec spec = partials.spec();
  spec.shares = shares;
  run_in_different_steps(c, *c.prepare_block_sum(cpu_device(), spec));
}

/// All elements are rank 0's.
Shares shares_of_rank_zero(int ranks, Dim count) {
  Shares shares{ranks, std::vector<Dim>(static_cast<std::size_t>(ranks) + 1, count)};
  shares.cuts[0] = 0;
  return shares;
}

TEST_P(Divergence, OfTheStepInAReduceScatter) {
  const auto errors = errors_of(
      GetParam(), [](Communicator& c) { sum_in_different_steps(c, 100'000, shares_of_rank_zero(c.size(), 100'000)); });
  expect_diverged(errors, "in epoch 0, step 4", "in epoch 0, step 3");
}

TEST_P(Divergence, OfTheStepInAnAllgather) {
  const auto errors = errors_of(GetParam(), [](Communicator& c) {
    const auto memory = c.allocate(cpu_device(), 100'000);
    const AllgatherSpec spec{memory->data(), 1, shares_of_rank_zero(c.size(), 100'000)};
    run_in_different_steps(c, *c.prepare_allgather(cpu_device(), spec));
  });
  expect_diverged(errors, "in epoch 0, step 4", "in epoch 0, step 3");
}

TEST_P(Divergence, OfTheStepInASmallSum) {
  const auto errors = errors_of(GetParam(), [](Communicator& c) { sum_in_different_steps(c, 10); });
  expect_diverged(errors, "block sum of 40 bytes in epoch 0, step 4", "block sum of 40 bytes in epoch 0, step 3");
}

TEST_P(Divergence, OfTheStepInALargeSum) {
  const auto errors = errors_of(GetParam(), [](Communicator& c) { sum_in_different_steps(c, 1'000'000); });
  expect_diverged(errors, "in epoch 0, step 4", "in epoch 0, step 3");
}

TEST_P(Divergence, OfTheStepInASumOfRows) {
  const auto errors = errors_of(GetParam(), [](Communicator& c) {
    const RowLayout layout{Dtype::float32, 3, RowLayout::kChunk};
    const auto memory = c.allocate(cpu_device(), layout.bytes());
    void* const lists[] = {memory->data()};
    RowLayout::count(memory->data()) = 0;
    const auto sum = c.prepare_row_sum(cpu_device(), {layout, c.size(), lists});
    const CommunicatorStep scope(c, {2, c.rank() == 0 ? 7 : 8}, false);
    sum->start();
    sum->wait();
  });
  expect_diverged(errors, "in epoch 2, step 7", "in epoch 2, step 8");
}

TEST_P(Divergence, OfWhatIsPrepared) {
  const auto errors = errors_of(GetParam(), [](Communicator& c) {
    testing::Partials<float> partials(c, cpu_device(), c.size(), 1000);
    BlockSumSpec spec = partials.spec();
    if (c.rank() == 0) spec.count = 999;
    c.prepare_block_sum(cpu_device(), spec);
  });
  expect_diverged(errors, "prepare of 3996 bytes", "prepare of 4000 bytes");
}

// A rank whose deadline passed says so to those that wait for it in turn.
TEST_P(Divergence, AFailureIsToldToAll) {
  const int ranks = std::accumulate(GetParam().begin(), GetParam().end(), 0);
  const auto errors = errors_of(GetParam(), [&](Communicator& c) {
    c.barrier();
    if (c.rank() == 0) {
      c.set_deadlines({100ms, 100ms});
      char byte = 0;
      // Comes from nobody: the next rank waits for it as well.
      c.broadcast(&byte, 1, c.size() - 1);
    } else {
      std::this_thread::sleep_for(300ms);
      c.barrier();
    }
  });
  for (int rank = 1; rank < ranks; ++rank) {
    const std::string& error = errors[static_cast<std::size_t>(rank)];
    EXPECT_NE(error.find("has failed: rank 0 waited 0.1 s"), std::string::npos) << error;
  }
}

INSTANTIATE_TEST_SUITE_P(Ranks, Divergence,
                         ::testing::Values(Hosts{2}, Hosts{3}, Hosts{1, 1}, Hosts{1, 1, 1}, Hosts{2, 2}, Hosts{1, 2}));

TEST(Deadline, OfLaterStepsIsTheirOwn) {
  std::atomic<bool> over = false;
  testing::run_ranks(2, [&](Communicator& c) {
    testing::Partials<float> partials(c, cpu_device(), 2, 100);
    BlockSumSpec spec = partials.spec();
    spec.name = "the gradients of dense";
    const auto sum = c.prepare_block_sum(cpu_device(), spec);
    if (c.rank() == 1) {
      while (!over) std::this_thread::sleep_for(1ms);
      return;
    }
    c.set_deadlines({60s, 200ms});
    const CommunicatorStep step(c, {1, 17}, false);
    sum->start();
    try {
      sum->wait();
      ADD_FAILURE() << "expected CommError";
    } catch (const CommError& error) {
      EXPECT_EQ(std::string(error.what()),
                "rank 0 waited 0.2 s for " + c.describe(1) +
                    " in block sum 0 (the gradients of dense), epoch 1, step 17: it has not "
                    "come to it. It may have died, or need longer than the deadline (STRATA_DEADLINE, "
                    "--deadline or set_deadlines) allows.");
    }
    over = true;
  });
}

}  // namespace
}  // namespace strata
