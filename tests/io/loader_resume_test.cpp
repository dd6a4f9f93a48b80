// SPDX-License-Identifier: Apache-2.0
// Training on a dataset in files that goes on in the middle of an epoch: the samples that are left, in their order.
#include <gtest/gtest.h>

#include "strata/strata.h"
#include "tests/support/counting_source.h"
#include "tests/support/files.h"
#include "tests/support/interrupted_training.h"
#include "tests/support/ranks.h"

namespace strata {
namespace {

using testing::CountingSource;
using testing::Interrupt;
using testing::Interruption;

constexpr Dim kRows = 43;
constexpr int kEpochs = 2;
constexpr int kSteps = 5;  // an epoch

/// Trains on `ranks` ranks with backups after every step, for at most `steps` of them; returns rank 0's weights.
std::uint64_t train(int ranks, const SampleSourceRef& source, const std::string& backup, int steps, int threads) {
  std::uint64_t hash = 0;
  const auto run = [&](Communicator& communicator) {
    clear_session();
    set_seed(4);
    const Tensor input = Input({2});
    Model model(input, layers::Dense(3)(layers::Dropout(0.3)(layers::Dense(6, {.activation = "relu"})(input))));
    model.compile({.optimizer = "adam", .loss = losses::SparseCategoricalCrossentropy({.from_logits = true})});
    std::vector<CallbackRef> callbacks{callbacks::BackupAndRestore(backup, {.save_freq = 1})};
    if (steps >= 0) callbacks.push_back(Interrupt(steps));
    model.fit(Dataset::from_source(source).shuffle().batch(10).prefetch({.threads = threads}),
              {.epochs = kEpochs, .verbose = 0, .callbacks = callbacks, .blocks = 4});
    if (communicator.rank() == 0) hash = model.weights_hash();
  };
  testing::run_ranks(ranks, run);
  return hash;
}

/// The row at every global index, each of which may be read once.
std::vector<Dim> order_of(const std::vector<SampleRef>& seen) {
  std::vector<Dim> order(kRows * kEpochs, -1);
  for (const SampleRef& sample : seen) {
    EXPECT_EQ(order[static_cast<std::size_t>(sample.index)], -1) << "index " << sample.index << " again";
    order[static_cast<std::size_t>(sample.index)] = sample.row;
  }
  return order;
}

TEST(LoaderResume, AtAnyStepTheSameSamplesAreLeftInTheSameOrder) {
  for (const ChunkLayout& chunks : {ChunkLayout{}, ChunkLayout{4, {0, 18}, 6}}) {
    const testing::TemporaryDirectory directory;
    const auto whole = std::make_shared<CountingSource>(kRows, chunks);
    const std::uint64_t expected = train(1, whole, directory.path("whole"), -1, 0);
    const std::vector<Dim> order = order_of(whole->seen());
    EXPECT_EQ(std::count(order.begin(), order.end(), -1), 0);
    for (int steps = 1; steps < kEpochs * kSteps; ++steps) {
      const std::string backup = directory.path("steps_" + std::to_string(steps));
      const auto source = std::make_shared<CountingSource>(kRows, chunks);
      EXPECT_THROW(train(1, source, backup, steps, 0), Interruption);
      const int ranks = 1 + steps % 4;
      EXPECT_EQ(train(ranks, source, backup, -1, 0), expected) << steps << " steps, then " << ranks << " ranks";
      EXPECT_EQ(order_of(source->seen()), order) << steps << " steps, then " << ranks << " ranks";
    }
    // What was read ahead is read again.
    const auto source = std::make_shared<CountingSource>(kRows, chunks);
    EXPECT_THROW(train(1, source, directory.path("ahead"), 3, 2), Interruption);
    EXPECT_EQ(train(3, source, directory.path("ahead"), -1, 2), expected);
  }
}

}  // namespace
}  // namespace strata
