// SPDX-License-Identifier: Apache-2.0
// Sums over all blocks in the midst of a step, and what is built on them.
#include <gtest/gtest.h>

#include <cmath>
#include <mutex>

#include "core/base/error.h"
#include "core/program/program.h"
#include "core/program/scan.h"
#include "core/training/step_engine.h"
#include "strata/strata.h"
#include "tests/support/allocation_counter.h"
#include "tests/support/expect_error.h"
#include "tests/support/guarded_device.h"
#include "tests/support/ranks.h"
#include "tests/support/synchronized_training.h"

namespace strata {
namespace {

using testing::expect_error;
using testing::SynchronizedRun;
using testing::train_with_batch_statistics;

/// Every value within 1e-10 of the expected one, of its size where that is above 1.
void expect_close(const SynchronizedRun& actual, const SynchronizedRun& expected) {
  const auto near = [](double a, double e) { EXPECT_NEAR(a, e, 1e-10 * std::max(1.0, std::abs(e))); };
  ASSERT_EQ(actual.losses.size(), expected.losses.size());
  for (std::size_t i = 0; i < actual.losses.size(); ++i) near(actual.losses[i], expected.losses[i]);
  ASSERT_EQ(actual.weights.size(), expected.weights.size());
  for (std::size_t w = 0; w < actual.weights.size(); ++w) {
    SCOPED_TRACE("weight " + std::to_string(w));
    for (std::size_t i = 0; i < actual.weights[w].size(); ++i) near(actual.weights[w][i], expected.weights[w][i]);
  }
}

TEST(BlockSum, IsTheTensorItselfOutsideOfAStep) {
  EXPECT_EQ(ops::block_sum(constant({1.f, 2.f}, {2})).to_vector<float>(), (std::vector<float>{1, 2}));
  expect_error<DtypeError>([] { ops::block_sum(constant<std::int32_t>({1}, {1})); },
                           "block_sum: expected a floating dtype, received int32 (1,)");
}

TEST(BlockSum, IsNeitherFoldedNorMerged) {
  const Tensor x = placeholder({{3}, Dtype::float32});
  const Tensor one = ops::ones({3});
  const Tensor y = ops::block_sum(one) + ops::block_sum(x) * ops::block_sum(x) + ops::block_sum(one);
  const auto program = Program::compile({x}, {y}, cpu_device());
  ASSERT_EQ(program->block_sums().size(), 4u);
  for (std::size_t i = 1; i < 4; ++i) {
    EXPECT_LT(program->block_sums()[i - 1].instruction, program->block_sums()[i].instruction);
  }
}

TEST(BlockSum, IsRefusedInALoop) {
  const auto body = [](const std::vector<Tensor>& carries, const std::vector<Tensor>& inputs) -> ScanStep {
    return {{carries[0] + ops::block_sum(inputs[0])}, {}};
  };
  expect_error<ConfigError>(
      [&] {
        scan(body, {ops::zeros({2})}, {ops::ones({3, 2})});
      },
      "scan: a sum over blocks cannot be taken inside a loop");
}

/// Arithmetic in double precision, where other orders of the same sums hardly differ.
class PreciseBlockSum : public ::testing::Test {
 protected:
  PreciseBlockSum() { session_.set_default_dtype(Dtype::float64); }

 private:
  Session session_;
  SessionScope scope_{session_};
};

TEST_F(PreciseBlockSum, SynchronizedStatisticsAreThoseOfTheWholeBatch) {
  for (const Dim batch : {24, 13, 3}) {  // even and uneven blocks, and fewer samples than blocks
    const SynchronizedRun whole = train_with_batch_statistics(batch, 1, 2);
    for (Dim blocks = 2; blocks <= 8; ++blocks) {
      SCOPED_TRACE(std::to_string(batch) + " samples in " + std::to_string(blocks) + " blocks");
      expect_close(train_with_batch_statistics(batch, blocks, 2), whole);
    }
  }
}

TEST_F(PreciseBlockSum, OneBlockComputesTheSameSynchronizedOrNot) {
  expect_close(train_with_batch_statistics(13, 1, 3, true), train_with_batch_statistics(13, 1, 3, false));
  EXPECT_GT(std::abs(train_with_batch_statistics(13, 4, 1, false).losses[0] -
                     train_with_batch_statistics(13, 4, 1, true).losses[0]),
            1e-3)
      << "blocks with statistics of their own are another function";
}

TEST(BlockSum, FixedBlocksGiveEqualBitsOnAnyRanks) {
  for (const Dim batch : {24, 13, 3, 1}) {  // the last leave ranks without a sample
    for (const Dim blocks : {4, 7, 8}) {
      const SynchronizedRun alone = train_with_batch_statistics(batch, blocks, 3);
      for (const int ranks : {2, 3, 4}) {
        SCOPED_TRACE(std::to_string(batch) + " samples, " + std::to_string(blocks) + " blocks, " +
                     std::to_string(ranks) + " ranks");
        std::mutex mutex;
        testing::run_ranks(ranks, [&](Communicator&) {
          const SynchronizedRun run = train_with_batch_statistics(batch, blocks, 3);
          const std::lock_guard lock(mutex);
          EXPECT_EQ(run, alone);
        });
      }
    }
  }
}

/// A run of the engine itself, on ranks that are threads; returns the hash of the weights.
std::uint64_t run_engine(const EngineOptions& options, int ranks, Dim samples) {
  std::vector<std::uint64_t> hashes(static_cast<std::size_t>(ranks));
  testing::run_ranks(ranks, [&](Communicator& communicator) {
    auto input = Input({20});
    auto x = layers::BatchNormalization({.synchronized = true})(layers::Dense(16)(input));
    x = layers::BatchNormalization({.synchronized = true})(layers::Dense(9, {.activation = "relu"})(x));
    Model model(input, layers::Dense(4)(x), "model");
    auto graph = std::static_pointer_cast<Functional>(model.shared());
    const Objective objective =
        make_objective({"output"}, losses::SparseCategoricalCrossentropy({.from_logits = true}), {}, {}, {});
    FlatState state(model.layer().trainable_weights(), {}, {}, cpu_device());
    const Optimizer optimizer = optimizers::RMSprop();
    state.create_slots(optimizer);
    state.adopt();
    const RandomKey key{constant<std::int64_t>({5, 0, 0}, {3}), 1};
    const Tensor data = ops::random_normal(key, {samples, 20});
    const std::vector<HostArray> arrays{HostArray(data), HostArray(ops::argmax(ops::slice(data, {0, 0}, {None, 4})))};
    const DataSpecs specs{{{{20}, Dtype::float32}}, {{{}, Dtype::int64}}, {}};
    StepEngine engine(StepKind::train, graph, objective, specs, state, communicator, options);
    for (int step = 0; step < 4; ++step) engine.run({arrays, nullptr, 0, samples, 0, step, 0}, &optimizer, step);
    hashes[static_cast<std::size_t>(communicator.rank())] = model.weights_hash();
  });
  for (const std::uint64_t hash : hashes) EXPECT_EQ(hash, hashes[0]);
  return hashes[0];
}

// Small buckets start while blocks still have sums ahead of them.
TEST(BlockSum, ThreadsOrdersAndBucketsGiveEqualBits) {
  for (const Dim samples : {61, 5}) {
    SCOPED_TRACE(std::to_string(samples) + " samples");
    const auto run = [&](std::size_t bucket_bytes, BlockOrder order, int threads, int ranks) {
      return run_engine({.blocks = 8, .threads = threads, .order = order, .bucket_bytes = bucket_bytes}, ranks,
                        samples);
    };
    const std::uint64_t expected = run(1 << 20, BlockOrder::block_by_block, 1, 1);
    EXPECT_EQ(run(1 << 20, BlockOrder::op_by_op, 1, 1), expected);
    EXPECT_EQ(run(1 << 20, BlockOrder::block_by_block, 3, 1), expected);
    EXPECT_EQ(run(1 << 20, BlockOrder::op_by_op, 2, 1), expected);
    EXPECT_EQ(run(1 << 20, BlockOrder::block_by_block, 1, 2), expected);
    EXPECT_EQ(run(64, BlockOrder::block_by_block, 1, 2), expected);
    EXPECT_EQ(run(64, BlockOrder::block_by_block, 2, 4), expected);
    EXPECT_EQ(run(300, BlockOrder::op_by_op, 2, 3), expected);
  }
}

TEST(BlockSum, RunsOnADeviceWhoseMemoryTheHostCannotTouch) {
  const SynchronizedRun on_cpu = train_with_batch_statistics(13, 3, 2);
  testing::GuardedDevice device;
  const DeviceScope scope(device);
  EXPECT_EQ(train_with_batch_statistics(13, 3, 2), on_cpu);
}

TEST(BlockSum, ASteadyStepAllocatesNothing) {
  class Counter final : public Callback {
   public:
    void on_train_batch_end(Dim batch, const Logs&) override {
      if (batch == 3) testing::start_counting_allocations();
      if (batch == 12) allocations = testing::stop_counting_allocations();
    }
    int allocations = -1;
  };
  auto input = Input({6});
  Model model(input, layers::Dense(2)(layers::BatchNormalization({.synchronized = true})(input)), "model");
  model.compile({.optimizer = "sgd", .loss = "mse"});
  const auto counter = std::make_shared<Counter>();
  model.fit(ops::ones({64, 6}), ops::ones({64, 2}),
            {.batch_size = 4, .verbose = 0, .callbacks = {counter}, .blocks = 2});
  EXPECT_EQ(counter->allocations, 0);
}

// What such a loss divides by is known only when all blocks have added theirs.
TEST(BlockSum, ALossOverTheSumOfWeightsIsThatOfTheWholeBatch) {
  const Tensor weights = constant({0.f, 3.f, 1.f, 0.5f, 2.f, 0.f, 0.25f}, {7});
  const auto kernel_after = [&](Dim blocks) {
    clear_session();
    auto input = Input({3});
    Model model(input, layers::Dense(2)(input), "model");
    model.compile({.optimizer = optimizers::SGD({1.0}),
                   .loss = losses::MeanSquaredError({.reduction = Reduction::mean_with_sample_weight})});
    const RandomKey key{constant<std::int64_t>({5, 0, 0}, {3}), 1};
    model.train_on_batch(ops::random_normal(key, {7, 3}), ops::ones({7, 2}),
                         {.sample_weight = weights, .blocks = blocks});
    return model.weights()[0].value().to_vector<float>();
  };
  const auto whole = kernel_after(1);
  for (Dim blocks = 2; blocks <= 8; ++blocks) {
    const auto cut = kernel_after(blocks);
    for (std::size_t i = 0; i < whole.size(); ++i) EXPECT_NEAR(cut[i], whole[i], 1e-6) << blocks << " blocks";
  }
}

}  // namespace
}  // namespace strata
