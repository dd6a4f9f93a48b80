// SPDX-License-Identifier: Apache-2.0
// Batches for loops of one's own.
#include "core/training/batches.h"

#include <gtest/gtest.h>

#include <limits>
#include <map>
#include <mutex>
#include <set>

#include "core/base/error.h"
#include "strata/strata.h"
#include "tests/support/counting_source.h"
#include "tests/support/expect_error.h"
#include "tests/support/ranks.h"

namespace strata {
namespace {

using testing::CountingSource;
using testing::expect_error_with;
using testing::run_ranks;

using Values = std::vector<float>;

/// The first numbers of samples, batch by batch, the ranks' parts one after the other.
class Gathered {
 public:
  void add(std::int64_t batch, int rank, const Tensor& x) {
    const Values values = x.to_vector<float>();
    const std::lock_guard lock(mutex_);
    Values& part = parts_[{batch, rank}];
    for (std::size_t i = 0; i < values.size(); i += 2) part.push_back(values[i]);
  }
  std::vector<Values> batches() const {
    std::vector<Values> all;
    std::int64_t last = -1;
    for (const auto& [key, part] : parts_) {
      if (key.first != last) all.emplace_back();
      last = key.first;
      all.back().insert(all.back().end(), part.begin(), part.end());
    }
    return all;
  }

 private:
  std::mutex mutex_;
  std::map<std::pair<std::int64_t, int>, Values> parts_;
};

/// Batches [from, to) on some ranks.
void gather(const Dataset& data, int ranks, std::int64_t from, std::int64_t to, Gathered& gathered) {
  run_ranks(ranks, [&](Communicator& communicator) {
    set_seed(9);
    Batches batches = data.batches({.epochs = 3, .position = from});
    for (const auto& [x, y, sample_weight] : batches) {
      gathered.add(batches.position() - 1, communicator.rank(), x);
      EXPECT_TRUE(sample_weight.empty());
      if (batches.position() == to) break;
    }
    EXPECT_EQ(batches.position(), to);
  });
}

class BatchesTest : public ::testing::Test {
 private:
  Session session_;
  SessionScope scope_{session_};
};

TEST_F(BatchesTest, HoldEverySampleOfEveryEpochOnceOnAnyRanks) {
  for (const Dim rows : {2, 13, 16}) {
    for (const bool drop : {false, true}) {
      const auto source = std::make_shared<CountingSource>(rows, ChunkLayout{3, {0}, 2});
      const Dataset data = Dataset::from_source(source).shuffle().batch(2, drop);
      const Dim steps = drop ? rows / 2 : (rows + 1) / 2;
      std::vector<std::vector<Values>> on_ranks;
      for (int ranks = 1; ranks <= 3; ++ranks) {
        source->forget();
        Gathered gathered;
        gather(data, ranks, 0, 3 * steps, gathered);
        on_ranks.push_back(gathered.batches());
        const auto read = static_cast<std::size_t>(3 * (drop ? rows / 2 * 2 : rows));
        EXPECT_EQ(source->seen().size(), read) << rows << " rows, " << ranks << " ranks";
      }
      EXPECT_EQ(on_ranks[0].size(), static_cast<std::size_t>(3 * steps));
      EXPECT_EQ(on_ranks, (std::vector<std::vector<Values>>(3, on_ranks[0]))) << rows << " rows";
    }
  }
}

TEST_F(BatchesTest, LeaveOutOtherSamplesInEveryEpoch) {
  constexpr std::int64_t kEpochs = 40;
  constexpr Dim kRows = 13;
  for (const ChunkLayout& chunks : {ChunkLayout{}, ChunkLayout{3, {0}, 2}}) {
    const auto source = std::make_shared<CountingSource>(kRows, chunks);
    const Dataset data = Dataset::from_source(source).shuffle().batch(4, true);
    for (const SampleBatch& batch : data.batches({.epochs = kEpochs})) ASSERT_EQ(batch.x.tensors()[0].shape()[0], 4);
    std::vector<std::set<Dim>> read(kEpochs);
    for (const SampleRef& sample : source->seen())
      read[static_cast<std::size_t>(sample.index / kRows)].insert(sample.row);
    std::set<Dim> left_out;
    for (const std::set<Dim>& rows : read) {
      ASSERT_EQ(rows.size(), 12U) << "a sample twice in an epoch";
      for (Dim row = 0; row < kRows; ++row) {
        if (!rows.contains(row)) left_out.insert(row);
      }
    }
    EXPECT_GT(left_out.size(), 6U) << chunks.rows;
  }
}

TEST_F(BatchesTest, GoOnForEver) {
  const Dataset data = Dataset::from_source(std::make_shared<CountingSource>(5)).batch(2);
  Batches batches = data.batches({.epochs = std::numeric_limits<std::int64_t>::max()});
  for (const SampleBatch& batch : batches) {
    EXPECT_FALSE(batch.x.empty());
    if (batches.position() == 7) break;
  }
  EXPECT_EQ(batches.position(), 7);
}

TEST_F(BatchesTest, GoOnAtAPositionOnOtherRanks) {
  for (const bool in_memory : {false, true}) {
    const auto source = std::make_shared<CountingSource>(13);
    std::vector<float> x;
    for (Dim row = 0; row < 13; ++row) x.insert(x.end(), {CountingSource::value(row, 0, 13), 0});
    const Dataset samples =
        in_memory ? Dataset::from_tensor_slices(constant(x, {13, 2})) : Dataset::from_source(source);
    const Dataset data = samples.shuffle().batch(4);
    Gathered whole, parts;
    gather(data, 1, 0, 12, whole);
    gather(data, 2, 0, 6, parts);  // in the middle of the second epoch
    gather(data, 3, 6, 7, parts);
    gather(data, 1, 7, 12, parts);
    EXPECT_EQ(parts.batches(), whole.batches());
    EXPECT_NE(whole.batches()[0], whole.batches()[4]) << "a new order in every epoch";
  }
}

/// Not only the rows: transforms that draw do it by the index.
TEST_F(BatchesTest, HaveTheOrderOfFit) {
  for (const bool drop : {false, true}) {
    set_seed(4);
    const auto source = std::make_shared<CountingSource>(13, ChunkLayout{3, {0}, 2});
    const Dataset data = Dataset::from_source(source).shuffle().batch(4, drop).prefetch({.threads = 0});
    const Tensor input = Input({2});
    Model model(input, layers::Dense(3)(input));
    model.compile({.loss = losses::SparseCategoricalCrossentropy({.from_logits = true})});
    model.fit(data, {.epochs = 3, .verbose = 0});
    const auto of_fit = source->seen();
    source->forget();
    for (const SampleBatch& batch : data.batches({.epochs = 3})) EXPECT_LE(batch.x.tensors()[0].shape()[0], 4);
    const auto own = source->seen();
    ASSERT_EQ(own.size(), of_fit.size());
    for (std::size_t i = 0; i < own.size(); ++i) {
      EXPECT_EQ(own[i].row, of_fit[i].row) << i;
      EXPECT_EQ(own[i].index, of_fit[i].index) << i;
      EXPECT_EQ(own[i].seed, of_fit[i].seed) << i;
    }
  }
}

TEST_F(BatchesTest, AreTheProgramsToKeep) {
  const Dataset data = Dataset::from_source(std::make_shared<CountingSource>(40)).batch(4);
  std::vector<SampleBatch> kept;
  for (const SampleBatch& batch : data.batches()) kept.push_back(batch);
  ASSERT_EQ(kept.size(), 10U);
  for (std::size_t i = 0; i < kept.size(); ++i) {
    const auto row = static_cast<Dim>(4 * i);
    const Tensor& x = kept[i].x;
    EXPECT_EQ(x.to_vector<float>()[0], CountingSource::value(row, 0, 40));
    EXPECT_EQ(kept[i].y.tensors()[0].to_vector<std::int32_t>()[1], (row + 1) % 3);
  }
}

TEST_F(BatchesTest, AreListsOrNamedAsTheSamplesAre) {
  const Tensor a = constant<float>({1, 2, 3}, {3}), b = constant<std::int32_t>({4, 5, 6}, {3, 1});
  const Dataset named = Dataset::from_tensor_slices({{"a", a}, {"b", b}}, a, a).batch(2);
  for (const auto& [x, y, sample_weight] : named.batches({.position = 1})) {
    EXPECT_EQ(x.find("b")->to_vector<std::int32_t>(), std::vector<std::int32_t>{6});
    EXPECT_EQ(x.find("b")->shape(), (Shape{1, 1}));
    EXPECT_EQ((sample_weight + y).to_vector<float>(), Values{6});
    expect_error_with<ConfigError>([&] { ops::relu(x); }, "received 2 arrays");
  }
  for (const auto& [x, y, sample_weight] : Dataset::from_tensor_slices(a).batch(3).batches()) {
    EXPECT_FALSE(x.is_named());
    expect_error_with<ConfigError>([&] { ops::relu(y); }, "received 0 arrays");
  }
}

TEST_F(BatchesTest, ErrorsOfReadingAndOfOptions) {
  const auto source = std::make_shared<CountingSource>(10);
  source->before_read = [](std::span<const SampleRef> samples) {
    for (const SampleRef& sample : samples) {
      if (sample.row == 5) throw IoError("file", "sample 5 is damaged");
    }
  };
  const Dataset data = Dataset::from_source(source).batch(2);
  std::int64_t done = 0;
  expect_error_with<IoError>(
      [&] {
        for (const SampleBatch& batch : data.batches()) done += !batch.x.empty();
      },
      "file: sample 5 is damaged");
  EXPECT_EQ(done, 2);
  expect_error_with<ConfigError>([&] { data.batches({.position = 6}); }, "received 6 and 1 epochs");
  expect_error_with<ConfigError>([&] { data.batches({.epochs = -1}); }, "received 0 and -1 epochs");
  expect_error_with<ConfigError>([&] { Dataset::from_source(source).batches(); }, "call .batch(32)");
  expect_error_with<ConfigError>([&] { Dataset::from_source(source).batch(11, true).batches(); },
                                 "at least one whole batch of 11 samples, received 10 samples");
  Batches none = data.batches({.position = 5});
  EXPECT_TRUE(none.begin() == none.end()) << "a run that was done";
}

/// The loop of the README: equal weights on all ranks, and those of one rank but for rounding, though ranks have 2, 1
/// and 1 samples of a batch, and the last batch is one sample.
TEST_F(BatchesTest, TrainOnAnyRanks) {
  const Dataset data = Dataset::from_source(std::make_shared<CountingSource>(25)).shuffle().batch(4);
  std::mutex mutex;
  std::map<int, std::vector<Values>> weights;
  for (int ranks = 1; ranks <= 3; ++ranks) {
    run_ranks(ranks, [&](Communicator&) {
      set_seed(2);
      const Tensor input = Input({2});
      const Model model(input, layers::Dense(3, {.name = "dense"})(input));
      const Loss loss_function = losses::SparseCategoricalCrossentropy({.from_logits = true});
      const Optimizer optimizer = optimizers::SGD({.learning_rate = 0.5});
      GradientAverage average;
      for (const auto& [x, y, sample_weight] : data.batches({.epochs = 2})) {
        const auto [loss, gradients] =
            value_and_gradients(model, [&] { return loss_function(y, model(x, {.training = true})); });
        optimizer.apply_gradients(average(gradients, model.trainable_weights(), x.samples()), model);
      }
      const std::lock_guard lock(mutex);
      weights[ranks].push_back(model.get_weights()[0].to_vector<float>());
    });
  }
  for (const auto& [ranks, of_ranks] : weights) {
    for (const Values& own : of_ranks) {
      EXPECT_EQ(own, of_ranks[0]) << ranks << " ranks";
      for (std::size_t i = 0; i < own.size(); ++i) EXPECT_NEAR(own[i], weights[1][0][i], 1e-5) << ranks << " ranks";
    }
  }
}

}  // namespace
}  // namespace strata
