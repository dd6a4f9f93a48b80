// SPDX-License-Identifier: Apache-2.0
// Sums over blocks in the middle of a step: equal bits on any ranks and threads, and what one block gives.
#include <gtest/gtest.h>

#include <atomic>
#include <cmath>
#include <mutex>
#include <thread>

#include "core/base/error.h"
#include "core/ops/ops.h"
#include "core/program/autodiff.h"
#include "core/training/thread_meeting.h"
#include "strata/strata.h"
#include "tests/support/allocation_counter.h"
#include "tests/support/block_training.h"
#include "tests/support/guarded_device.h"
#include "tests/support/ranks.h"

namespace strata {
namespace {

using testing::BlockTraining;
using testing::train_with_block_sums;

/// Uneven blocks, blocks without samples, and blocks whose samples are masked altogether.
const std::vector<Dim> kBatches{13, 5, 2, 8, 1};

BlockTraining train_on(int ranks, const EngineOptions& options) {
  std::mutex mutex;
  std::vector<BlockTraining> results;
  testing::run_ranks(ranks, [&](Communicator& communicator) {
    BlockTraining result = train_with_block_sums(communicator, kBatches, options);
    const std::lock_guard lock(mutex);
    results.push_back(std::move(result));
  });
  for (const BlockTraining& result : results) EXPECT_EQ(result, results[0]) << "on another of " << ranks << " ranks";
  return results[0];
}

template <class T>
void expect_near(const std::vector<T>& received, const std::vector<T>& expected) {
  ASSERT_EQ(received.size(), expected.size());
  for (std::size_t i = 0; i < expected.size(); ++i) {
    EXPECT_NEAR(received[i], expected[i], 1e-6 * std::max<T>(1, std::abs(expected[i]))) << "at " << i;
  }
}

class BlockExchangeTest : public ::testing::TestWithParam<Dim> {};

TEST_P(BlockExchangeTest, GivesEqualBitsOnAnyRanksAndThreads) {
  const Dim blocks = GetParam();
  const BlockTraining expected = train_on(1, {.blocks = blocks, .threads = 1});
  for (const int threads : {2, 3}) {
    EXPECT_EQ(train_on(1, {.blocks = blocks, .threads = threads}), expected) << threads << " threads";
  }
  for (int ranks = 2; ranks <= std::min<Dim>(blocks, 4); ++ranks) {
    for (const std::size_t bucket : {std::size_t{64}, std::size_t{200}, std::size_t{1} << 20}) {
      EXPECT_EQ(train_on(ranks, {.blocks = blocks, .threads = 1, .bucket_bytes = bucket}), expected) << ranks;
    }
    EXPECT_EQ(train_on(ranks, {.blocks = blocks, .threads = 2, .order = BlockOrder::op_by_op, .bucket_bytes = 64}),
              expected)
        << ranks << " ranks, op by op";
  }
}

TEST_P(BlockExchangeTest, GivesTheLossAndTheGradientsOfTheWholeBatch) {
  for (const Dim batch : kBatches) {
    Session session;
    const SessionScope scope(session);
    const auto communicator = make_single_communicator();
    const BlockTraining whole = train_with_block_sums(*communicator, {batch}, {.blocks = 1});
    const BlockTraining parts = train_with_block_sums(*communicator, {batch}, {.blocks = GetParam()});
    SCOPED_TRACE(batch);
    expect_near(parts.weights, whole.weights);  // after a step of gradient descent
    expect_near(parts.sums, whole.sums);
  }
}

INSTANTIATE_TEST_SUITE_P(Blocks, BlockExchangeTest, ::testing::Values(1, 2, 3, 4, 5, 6, 7, 8));

TEST(BlockExchange, WorksOnADeviceWhoseMemoryTheHostCannotTouch) {
  const EngineOptions options{.blocks = 3, .threads = 2};
  const BlockTraining expected = train_on(1, options);
  testing::GuardedDevice device;
  const DeviceScope scope(device);
  const auto communicator = make_single_communicator();
  EXPECT_EQ(train_with_block_sums(*communicator, kBatches, options), expected);
}

/// The CPU, one of whose launches fails.
class FailingDevice final : public Device {
 public:
  explicit FailingDevice(int failing) : failing_(failing) {}
  int launches() const { return launches_; }

  std::string_view name() const override { return "failing"; }
  std::string_view kernels() const override { return cpu_.kernels(); }
  bool host_accessible() const override { return true; }
  void* allocate(std::size_t bytes) override { return cpu_.allocate(bytes); }
  void deallocate(void* data, std::size_t bytes) noexcept override { cpu_.deallocate(data, bytes); }
  void copy_from_host(void* device, const void* host, std::size_t bytes, Stream& stream) override {
    cpu_.copy_from_host(device, host, bytes, stream);
  }
  void copy_to_host(void* host, const void* device, std::size_t bytes, Stream& stream) override {
    cpu_.copy_to_host(host, device, bytes, stream);
  }
  void copy(void* to, const void* from, std::size_t bytes, Stream& stream) override {
    cpu_.copy(to, from, bytes, stream);
  }
  void zero(void* data, std::size_t bytes, Stream& stream) override { cpu_.zero(data, bytes, stream); }
  void launch(Stream& stream, const Launch& kernel) override {
    if (launches_++ == failing_) throw IoError("device", "fails");
    cpu_.launch(stream, kernel);
  }
  std::unique_ptr<Stream> make_stream() override { return cpu_.make_stream(); }
  std::unique_ptr<Event> make_event() override { return cpu_.make_event(); }

 private:
  Device& cpu_ = cpu_device();
  int failing_;
  std::atomic<int> launches_{0};
};

TEST(BlockExchange, AnErrorOnOneThreadEndsTheStepOfAll) {
  const auto launches_until = [](int failing) {
    int launches = 0;
    testing::run_ranks(1, [&](Communicator& communicator) {
      FailingDevice device(failing);
      const DeviceScope scope(device);
      const auto train = [&] { train_with_block_sums(communicator, {13}, {.blocks = 5, .threads = 3}); };
      if (failing < 0) train();
      else EXPECT_THROW(train(), IoError) << failing;
      launches = device.launches();
    });
    return launches;
  };
  const int all = launches_until(-1);
  for (int part = 1; part < 40; ++part) launches_until(all * part / 40);
}

TEST(BlockExchange, ASteadyStepAllocatesNothing) {
  Model model = testing::block_sum_model();
  model.compile(
      {.optimizer = optimizers::Adam(), .loss = losses::SparseCategoricalCrossentropy({.from_logits = true})});
  const auto counter = std::make_shared<testing::AllocationsOfSteps>(5, 15);
  model.fit(testing::masked_words(160), testing::word_classes(160),
            {.batch_size = 8, .verbose = 0, .callbacks = {counter}, .blocks = 3});
  EXPECT_EQ(counter->allocations, 0);
}

TEST(ThreadMeeting, LeadsThreadsThroughRounds) {
  ThreadMeeting meeting;
  meeting.reset();
  constexpr int kThreads = 4, kRounds = 200;
  std::vector<int> seen(kThreads, 0);
  int shared = 0;
  std::vector<std::thread> threads;
  for (int t = 1; t < kThreads; ++t) {
    threads.emplace_back([&, t] {
      for (int round = 0; round < kRounds; ++round) {
        seen[static_cast<std::size_t>(t)] = round;
        if (!meeting.attend() || shared != round + 1) return;
      }
      seen[static_cast<std::size_t>(t)] = kRounds;
    });
  }
  for (int round = 0; round < kRounds; ++round) {
    ASSERT_TRUE(meeting.gather(kThreads - 1, [] {}));
    for (int t = 1; t < kThreads; ++t) EXPECT_EQ(seen[static_cast<std::size_t>(t)], round);
    shared = round + 1;
    meeting.dismiss();
  }
  for (std::thread& thread : threads) thread.join();
  for (int t = 1; t < kThreads; ++t) EXPECT_EQ(seen[static_cast<std::size_t>(t)], kRounds);
}

TEST(ThreadMeeting, NobodyWaitsForAThreadThatFailed) {
  ThreadMeeting meeting;
  meeting.reset();
  bool dismissed = true;
  std::thread waiting([&] { dismissed = meeting.attend(); });
  std::thread failing([&] { meeting.abandon(); });
  EXPECT_FALSE(meeting.gather(2, [] {}));
  waiting.join();
  failing.join();
  EXPECT_FALSE(dismissed);
  EXPECT_FALSE(meeting.attend()) << "after the end";
}

}  // namespace
}  // namespace strata
