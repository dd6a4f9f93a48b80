// SPDX-License-Identifier: Apache-2.0
// Training on datasets that are read while it goes on: equal bits as from arrays in memory, on any ranks.
#include <gtest/gtest.h>

#include <map>

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

Samples arrays_of(Dim rows) {
  std::vector<float> x;
  std::vector<std::int32_t> y;
  for (Dim row = 0; row < rows; ++row) {
    for (Dim c = 0; c < 2; ++c) x.push_back(CountingSource::value(row, c, rows));
    y.push_back(static_cast<std::int32_t>(row % 3));
  }
  return {constant(x, {rows, 2}), constant(y, {rows})};
}

Model compiled_model(const Metrics& metrics = {"accuracy"}) {
  clear_session();
  set_seed(3);
  const Tensor input = Input({2});
  const Tensor hidden = layers::Dropout(0.2)(layers::Dense(7, {.activation = "relu"})(input));
  Model model(input, layers::Dense(3)(hidden));
  model.compile(
      {.optimizer = "adam", .loss = losses::SparseCategoricalCrossentropy({.from_logits = true}), .metrics = metrics});
  return model;
}

struct Result {
  std::uint64_t weights = 0;
  std::vector<double> losses = {};
  friend bool operator==(const Result&, const Result&) = default;
};

Result fitted(const Dataset& data, FitOptions options = {}) {
  Model model = compiled_model();
  options.verbose = 0;
  const History history = model.fit(data, options);
  return {model.weights_hash(), history.at("loss")};
}

class SourceTraining : public ::testing::Test {
 private:
  Session session_;
  SessionScope scope_{session_};
};

TEST_F(SourceTraining, EndsWithTheBitsOfArraysInMemory) {
  for (const Dim rows : {1, 3, 50}) {
    const Samples arrays = arrays_of(rows);
    const auto source = std::make_shared<CountingSource>(rows);
    const Dataset memory = Dataset::from_tensor_slices(arrays.x, arrays.y), files = Dataset::from_source(source);
    const FitOptions options{.epochs = 3, .validation_data = arrays, .blocks = 3};
    const FitOptions validated_by_source{.epochs = 3, .validation_data = files, .blocks = 3};
    EXPECT_EQ(fitted(files.shuffle().batch(8), options), fitted(memory.shuffle().batch(8), options)) << rows;
    EXPECT_EQ(fitted(files.batch(8), validated_by_source), fitted(memory.batch(8), options)) << rows;
    if (rows >= 8) {
      EXPECT_EQ(fitted(files.shuffle().batch(8, true), options), fitted(memory.shuffle().batch(8, true), options));
    }
  }
}

/// Every sample of every epoch once, on some rank, and equal bits on any.
TEST_F(SourceTraining, OnAnyRanksEverySampleIsReadOnceAndTheBitsAreEqual) {
  for (const Dim rows : {2, 13, 57}) {
    for (const ChunkLayout& chunks : {ChunkLayout{}, ChunkLayout{4, {0, 6}, 3}}) {
      if (chunks.starts.back() > rows) continue;
      std::map<int, Result> results;
      for (int ranks = 1; ranks <= 5; ++ranks) {
        const auto source = std::make_shared<CountingSource>(rows, chunks);
        std::vector<Result> of_rank(static_cast<std::size_t>(ranks));
        run_ranks(ranks, [&](Communicator& communicator) {
          of_rank[static_cast<std::size_t>(communicator.rank())] =
              fitted(Dataset::from_source(source).shuffle().batch(10), {.epochs = 3, .blocks = 5});
        });
        for (const Result& result : of_rank) EXPECT_EQ(result, of_rank[0]);
        results[ranks] = of_rank[0];
        std::vector<int> count(static_cast<std::size_t>(rows) * 3), index(count.size());
        for (const SampleRef& sample : source->seen()) {
          const auto epoch = static_cast<std::size_t>(sample.index / rows);
          ++count[epoch * static_cast<std::size_t>(rows) + static_cast<std::size_t>(sample.row)];
          ++index[static_cast<std::size_t>(sample.index)];
        }
        EXPECT_EQ(count, std::vector<int>(count.size(), 1)) << rows << " rows, " << ranks << " ranks";
        EXPECT_EQ(index, std::vector<int>(count.size(), 1)) << rows << " rows, " << ranks << " ranks";
        EXPECT_EQ(results[ranks], results[1]) << rows << " rows, " << ranks << " ranks";
      }
    }
  }
}

TEST_F(SourceTraining, EvaluateAndPredictReadThemToo) {
  const Samples arrays = arrays_of(21);
  const Dataset files = Dataset::from_source(std::make_shared<CountingSource>(21, ChunkLayout{4, {0}, 2}));
  Model model = compiled_model();
  EXPECT_EQ(model.evaluate(files.batch(8), {.verbose = 0}),
            model.evaluate(arrays.x, arrays.y, {.batch_size = 8, .verbose = 0}));
  EXPECT_EQ(model.predict(files.batch(8)).to_vector<float>(),
            model.predict(arrays.x, {.batch_size = 8}).to_vector<float>());
  EXPECT_EQ(model.predict(files.batch(8, true)).shape(), (Shape{16, 3}));
  run_ranks(3, [&](Communicator& communicator) {
    Model own = compiled_model();
    const Tensor all = own.predict(files.batch(8), {.blocks = 3});
    const Tensor expected = own.predict(arrays.x, {.batch_size = 8, .blocks = 3});
    if (communicator.rank() == 0) {
      EXPECT_EQ(all.to_vector<float>(), expected.to_vector<float>());
    }
  });
}

TEST_F(SourceTraining, ClassWeightsAreThoseOfTheLabels) {
  const Samples arrays = arrays_of(20);
  const Dataset memory = Dataset::from_tensor_slices(arrays.x, arrays.y),
                files = Dataset::from_source(std::make_shared<CountingSource>(20));
  const FitOptions options{.class_weight = {{0, 2.0}, {2, 0.25}}};
  EXPECT_EQ(fitted(files.shuffle().batch(8), options), fitted(memory.shuffle().batch(8), options));
  EXPECT_NE(fitted(files.shuffle().batch(8), options), fitted(files.shuffle().batch(8)));
}

/// Names, several inputs and outputs, weights by name, targets that nothing reads: as arrays in memory have them.
TEST_F(SourceTraining, ListsDictionariesAndSampleWeights) {
  const auto noise = [](Dim columns, std::int64_t seed) {
    return ops::random_uniform({constant<std::int64_t>({seed, 0, 0}, {3})}, {20, columns}, 0.0, 1.0);
  };
  const Tensor a = noise(3, 1), b = noise(4, 2), up = noise(2, 3), down = noise(2, 4);
  std::vector<float> weights(20, 1.0F);
  for (std::size_t i = 0; i < weights.size(); i += 3) weights[i] = 0.25F;
  const Tensor weight = constant(weights, {20});
  const auto result = [&](const Dataset& data, const Losses& loss) {
    clear_session();
    set_seed(5);
    auto input_a = Input({3}, {.name = "a"}), input_b = Input({4}, {.name = "b"});
    auto x = layers::concatenate({input_a, input_b});
    Model model({input_a, input_b}, {layers::Dense(2, {.name = "up"})(x), layers::Dense(2, {.name = "down"})(x)});
    model.compile({.optimizer = "adam", .loss = loss});
    model.fit(data.shuffle().batch(8), {.epochs = 2, .verbose = 0});
    return model.weights_hash();
  };
  const Losses both{{"up", "mse"}, {"down", "mse"}}, one{{"down", "mse"}};
  const auto as_source = [](const Dataset& data) { return Dataset::from_source(data.source()); };
  const Dataset lists = Dataset::from_tensor_slices({a, b}, {up, down}, {ops::ones({20}), weight});
  const Dataset named =
      Dataset::from_tensor_slices({{"b", b}, {"a", a}}, {{"down", down}, {"up", up}}, {{"down", weight}});
  const Dataset shared = Dataset::from_tensor_slices({a, b}, {up, down}, weight);
  EXPECT_EQ(result(as_source(lists), both), result(lists, both));
  EXPECT_EQ(result(as_source(named), both), result(lists, both));
  EXPECT_EQ(result(as_source(shared), both), result(shared, both));
  EXPECT_NE(result(as_source(shared), both), result(lists, both));
  EXPECT_EQ(result(as_source(named), one), result(named, one));
  const Dataset zipped = Dataset::zip(Dataset::from_tensor_slices({a, b}), Dataset::from_tensor_slices({up, down}));
  EXPECT_EQ(result(zipped, both), result(Dataset::from_tensor_slices({a, b}, {up, down}), both));
}

TEST_F(SourceTraining, HalfTargetsAreRead) {
  const Samples arrays = arrays_of(12);
  const Tensor y = ops::cast(ops::cast(arrays.y.tensors()[0], Dtype::float32), Dtype::float16);
  const Dataset memory = Dataset::from_tensor_slices(arrays.x, y);
  EXPECT_EQ(fitted(Dataset::from_source(memory.source()).batch(4)), fitted(memory.batch(4)));
}

TEST_F(SourceTraining, WhatDoesNotFitIsAnErrorBeforeTraining) {
  const auto with = [](SampleSourceRef source) { return Dataset::from_source(std::move(source)).batch(4); };
  expect_error_with<ConfigError>([&] { fitted(with(std::make_shared<CountingSource>(0))); },
                                 "The data holds no samples: numbers");
  expect_error_with<ShapeError>([&] { fitted(with(std::make_shared<CountingSource>(9, ChunkLayout{}, 5))); },
                                "to have shape (2,) but got array with shape (5,)");
  expect_error_with<ConfigError>([&] { Dataset::from_source(nullptr); }, "expected a source, received none");
  expect_error_with<ConfigError>(
      [&] {
        Dataset::zip(Dataset::from_source(std::make_shared<CountingSource>(9)),
                     Dataset::from_source(std::make_shared<CountingSource>(8)));
      },
      "expected as many samples in each, received 9 in numbers and 8 in numbers");
  expect_error_with<ConfigError>(
      [&] {
        const Dataset numbers = Dataset::from_source(std::make_shared<CountingSource>(9));
        Dataset::zip(numbers.shuffle(), numbers);
      },
      "zip, then shuffle");
  const auto files = Dataset::from_source(std::make_shared<CountingSource>(9));
  expect_error_with<ConfigError>([&] { files.prefetch({.batches = 0}); }, "at least 0 threads and 1 batch");
}

/// Labels are checked when they are read, on the rank that reads them, and the error is thrown by fit.
TEST_F(SourceTraining, TargetsThatDoNotFitAreErrorsWhenTheyAreRead) {
  Samples arrays = arrays_of(12);
  std::vector<std::int32_t> labels(12, 1);
  labels[7] = 3;
  const auto source = Dataset::from_tensor_slices(arrays.x, constant(labels, {12})).source();
  for (const int threads : {0, 1}) {
    expect_error_with<ConfigError>(
        [&] { fitted(Dataset::from_source(source).batch(4).prefetch({.threads = threads})); }, "3");
  }
}

TEST_F(SourceTraining, AnErrorOfAReaderEndsFit) {
  const auto source = std::make_shared<CountingSource>(30);
  source->before_read = [](std::span<const SampleRef> samples) {
    for (const SampleRef& sample : samples) {
      if (sample.index == 40) throw IoError("file", "is damaged");
    }
  };
  expect_error_with<IoError>([&] { fitted(Dataset::from_source(source).shuffle().batch(4), {.epochs = 3}); },
                             "file: is damaged");
}

}  // namespace
}  // namespace strata
