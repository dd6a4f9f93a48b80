// SPDX-License-Identifier: Apache-2.0
// Batches of which every rank passes samples of its own.
#include <gtest/gtest.h>

#include <cmath>
#include <mutex>

#include "core/training/step_engine.h"
#include "strata/strata.h"
#include "tests/support/allocation_counter.h"
#include "tests/support/expect_error.h"
#include "tests/support/local_training.h"
#include "tests/support/ranks.h"
#include "tests/support/recording_communicator.h"

namespace strata {
namespace {

using testing::expect_error;
using testing::expect_error_with;
using testing::LocalCase;
using testing::LocalTraining;

class LocalBatch : public ::testing::TestWithParam<LocalCase> {};

void expect_near(const std::vector<double>& actual, const std::vector<double>& expected) {
  ASSERT_EQ(actual.size(), expected.size());
  for (std::size_t i = 0; i < actual.size(); ++i) {
    EXPECT_NEAR(actual[i], expected[i], 1e-10 * std::max(1.0, std::abs(expected[i]))) << "value " << i;
  }
}

// In double precision, where other orders of the same sums hardly differ.
TEST_P(LocalBatch, IsTheBatchOfAllRanks) {
  for (const int ranks : {1, 2, 3, 5}) {
    SCOPED_TRACE(std::to_string(ranks) + " ranks");
    Session session;
    session.set_default_dtype(Dtype::float64);
    const SessionScope scope(session);
    const LocalTraining whole = testing::train_on_whole_batches(GetParam(), ranks, 8);
    std::mutex mutex;
    testing::run_ranks(ranks, [&](Communicator&) {
      Session::current().set_default_dtype(Dtype::float64);
      const LocalTraining local = testing::train_on_local_batches(GetParam(), 8);
      const std::lock_guard lock(mutex);
      expect_near(local.results, whole.results);
      expect_near(local.weights, whole.weights);
    });
  }
}

// 45 steps have more sizes of blocks than programs are kept.
TEST_P(LocalBatch, HasTheBitsOfItsBlocksInOneProcess) {
  for (const int ranks : {1, 2, 4}) {
    SCOPED_TRACE(std::to_string(ranks) + " ranks");
    Session session;
    const SessionScope scope(session);
    const std::uint64_t together = testing::train_on_blocks_of_ranks(GetParam(), ranks, 45);
    testing::run_ranks(
        ranks, [&](Communicator&) { EXPECT_EQ(testing::train_on_local_batches(GetParam(), 45).hash, together); });
  }
}

INSTANTIATE_TEST_SUITE_P(Cases, LocalBatch, ::testing::ValuesIn(testing::local_cases()),
                         [](const auto& tested) { return tested.param.name; });

Model line() {
  clear_session();
  auto input = Input({2});
  Model model(input, layers::Dense(1)(input), "line");
  return model;
}

/// Notes how often ranks exchange something besides sums, and whether the last step was the first of its kind.
class CountingCommunicator final : public testing::RecordingCommunicator {
 public:
  using RecordingCommunicator::RecordingCommunicator;
  void allgather(const void* send, void* receive, std::size_t bytes) override {
    ++allgathers;
    RecordingCommunicator::allgather(send, receive, bytes);
  }
  void broadcast(void* data, std::size_t bytes, int root) override {
    ++broadcasts;
    RecordingCommunicator::broadcast(data, bytes, root);
  }
  void begin_step(const StepPosition& position, bool first) override {
    last_was_first = first;
    RecordingCommunicator::begin_step(position, first);
  }
  int allgathers = 0;
  int broadcasts = 0;
  bool last_was_first = false;
};

TEST(LocalBatches, CostOneMessageAStepBesidesTheSums) {
  testing::run_ranks(3, [](Communicator& communicator) {
    const auto counting = std::make_shared<CountingCommunicator>(communicator);
    Model model = line();
    model.compile({.optimizer = "sgd", .loss = "mse", .communicator = counting});
    const auto step = [&](Dim rows) {
      model.train_on_batch(ops::ones({rows, 2}), ops::ones({rows, 1}), {.local = true});
    };
    step(communicator.rank());
    const auto prepared = counting->prepared().size();
    counting->allgathers = counting->broadcasts = 0;
    for (Dim rows = 1; rows < 11; ++rows) step((rows * 5 + communicator.rank()) % 7);
    EXPECT_EQ(counting->allgathers, 10);
    EXPECT_EQ(counting->broadcasts, 0);
    EXPECT_EQ(counting->prepared().size(), prepared) << "sums are prepared once";
  });
}

// The others wait for it with the patience of a first step.
TEST(LocalBatches, KnowThatARankHasToCompile) {
  testing::run_ranks(2, [](Communicator& communicator) {
    const auto counting = std::make_shared<CountingCommunicator>(communicator);
    Model model = line();
    model.compile({.optimizer = "sgd", .loss = "mse", .communicator = counting});
    const auto first = [&](Dim rows_of_0, Dim rows_of_1) {
      const Dim rows = communicator.rank() == 0 ? rows_of_0 : rows_of_1;
      model.train_on_batch(ops::ones({rows, 2}), ops::ones({rows, 1}), {.local = true});
      return counting->last_was_first;
    };
    EXPECT_TRUE(first(3, 4));
    EXPECT_FALSE(first(3, 4));
    EXPECT_TRUE(first(3, 5));
    EXPECT_FALSE(first(0, 4)) << "both know what to do";
    EXPECT_FALSE(first(3, 5));
  });
}

TEST(LocalBatches, HaveOneBlockARank) {
  testing::run_ranks(2, [](Communicator&) {
    Model model = line();
    model.compile({.optimizer = "sgd", .loss = "mse"});
    expect_error<ConfigError>(
        [&] {
          model.train_on_batch(ops::ones({3, 2}), ops::ones({3, 1}), {.blocks = 2, .local = true});
        },
        "A batch of all ranks' own samples has one block a rank: expected blocks of 0, received 2");
  });
}

TEST(LocalBatches, ThatOneRankCannotJoinAreRefusedByAllAndTrainingGoesOn) {
  testing::run_ranks(3, [](Communicator& communicator) {
    Model model = line();
    model.compile({.optimizer = "sgd", .loss = "mse"});
    const auto step = [&](Dim rows, Dim width) {
      return model.train_on_batch(ops::ones({rows, width}), ops::ones({rows, 1}), {.local = true});
    };
    const bool wrong = communicator.rank() == 1;
    if (wrong) {
      expect_error_with<ShapeError>([&] { step(4, 3); }, "to have shape (2,) but got array with shape (3,)");
    } else {
      expect_error_with<ConfigError>([&] { step(4, 2); }, "rank 1 (host ");
    }
    EXPECT_EQ(model.iterations(), 0);
    expect_error<ConfigError>([&] { step(0, 2); }, "The data holds no samples, on any rank.");
    EXPECT_EQ(step(wrong ? 0 : 4, 2).size(), 1u);
    EXPECT_EQ(model.iterations(), 1);
  });
}

TEST(LocalBatches, DifferInTheNumberOfSamplesOnly) {
  testing::run_ranks(2, [](Communicator& communicator) {
    Model model = line();
    model.compile({.optimizer = "sgd", .loss = "mse"});
    const Dtype dtype = communicator.rank() == 0 ? Dtype::float32 : Dtype::float64;
    expect_error_with<ConfigError>(
        [&] {
          model.train_on_batch(ops::ones({3, 2}, dtype), ops::ones({3, 1}), {.local = true});
        },
        "has other data, or another model or step, than rank 0: only the number of samples may differ.");
  });
}

TEST(LocalBatches, NeedSamplesWhereTheyAreNotLocal) {
  Model model = line();
  model.compile({.optimizer = "sgd", .loss = "mse"});
  expect_error_with<ConfigError>(
      [&] {
        model.train_on_batch(ops::ones({0, 2}), ops::ones({0, 1}));
      },
      "The data holds no samples: ");
}

TEST(LocalBatches, ASteadyStepOfTheEngineAllocatesNothing) {
  Model model = line();
  const Optimizer optimizer = optimizers::SGD();
  FlatState state(model.layer().trainable_weights(), {}, {}, cpu_device());
  state.create_slots(optimizer);
  state.adopt();
  const auto single = make_single_communicator();
  StepEngine engine(StepKind::train, std::static_pointer_cast<Functional>(model.shared()),
                    make_objective({"dense"}, "mse", {}, {}, {}),
                    {{{{2}, Dtype::float32}}, {{{1}, Dtype::float32}}, {}}, state, *single, {.blocks = 3});
  const std::vector<HostArray> arrays{HostArray(ops::ones({9, 2})), HostArray(ops::ones({9, 1}))};
  const std::vector<Dim> limits[] = {{0, 2, 2, 9}, {0, 5, 7, 9}};
  const auto step = [&](int s) {
    engine.run({.arrays = arrays, .size = 9, .step = s, .limits = limits[s % 2]}, &optimizer, s);
  };
  for (int warm = 0; warm < 4; ++warm) step(warm);
  testing::start_counting_allocations();
  for (int steady = 4; steady < 10; ++steady) step(steady);
  EXPECT_EQ(testing::stop_counting_allocations(), 0);
}

}  // namespace
}  // namespace strata
