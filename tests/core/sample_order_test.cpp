// SPDX-License-Identifier: Apache-2.0
#include "core/training/sample_order.h"

#include <gtest/gtest.h>

#include <numeric>
#include <set>

#include "core/program/blocks.h"

namespace strata {
namespace {

std::vector<Dim> epoch_of(const SampleOrder& order, Dim rows, std::uint64_t epoch) {
  SampleOrder::Epoch in_epoch(order, epoch);
  std::vector<Dim> all;
  for (Dim i = 0; i < rows; ++i) all.push_back(in_epoch(i));
  return all;
}

void expect_each_once(std::vector<Dim> order, const std::string& what) {
  std::vector<Dim> expected(order.size());
  std::iota(expected.begin(), expected.end(), 0);
  std::sort(order.begin(), order.end());
  EXPECT_EQ(order, expected) << what;
}

TEST(SampleOrder, HoldsEverySampleOnceWhateverTheChunks) {
  int cases = 0;
  for (const Dim rows : {1, 2, 7, 31, 100, 257}) {
    for (const Dim batch : {1, 3, 16, 300}) {
      for (const Dim chunk : {1, 2, 5, 16, 64, 400}) {
        for (const Dim open : {1, 2, 3, 9, 100}) {
          for (const auto& starts : {std::vector<Dim>{0}, {0, 0, 4, 5}, {0, 50, 90}}) {
            if (starts.back() > rows) continue;
            const Dim size = std::min(batch, rows);
            const SampleOrder order(rows, size, true, {chunk, starts, open}, 11);
            for (const std::uint64_t epoch : {0, 3}) {
              expect_each_once(epoch_of(order, rows, epoch),
                               order.describe() + " of " + std::to_string(rows) + " by " + std::to_string(size));
            }
            ++cases;
          }
        }
      }
    }
  }
  EXPECT_GT(cases, 1000);
}

TEST(SampleOrder, WithoutChunksIsThePermutationOfArraysInMemory) {
  const SampleOrder order(100, 8, true, {}, 42);
  const Permutation permutation(100, 42, 3);
  SampleOrder::Epoch epoch(order, 3);
  for (Dim i = 0; i < 100; ++i) ASSERT_EQ(epoch(i), permutation(i));
}

TEST(SampleOrder, UnshuffledIsAsTheyStand) {
  const SampleOrder order(10, 4, false, {4, {0}, 2}, 1);
  SampleOrder::Epoch epoch(order, 5);
  for (Dim i = 0; i < 10; ++i) EXPECT_EQ(epoch(i), i);
}

TEST(SampleOrder, DiffersBetweenEpochsAndSeeds) {
  const ChunkLayout chunks{8, {0}, 4};
  const SampleOrder order(200, 20, true, chunks, 1), other(200, 20, true, chunks, 2);
  EXPECT_NE(epoch_of(order, 200, 0), epoch_of(order, 200, 1));
  EXPECT_NE(epoch_of(order, 200, 0), epoch_of(other, 200, 0));
  EXPECT_EQ(epoch_of(order, 200, 7), epoch_of(SampleOrder(200, 20, true, chunks, 1), 200, 7));
}

/// A position can be asked for by itself: what makes going on in the middle cheap.
TEST(SampleOrder, AnyPositionByItself) {
  const SampleOrder order(1000, 32, true, {16, {0, 300}, 12}, 9);
  const auto all = epoch_of(order, 1000, 4);
  for (const Dim at : {0, 1, 31, 32, 500, 999}) {
    SampleOrder::Epoch fresh(order, 4);
    EXPECT_EQ(fresh(at), all[static_cast<std::size_t>(at)]);
  }
}

TEST(SampleOrder, ABatchHoldsSamplesOfManyChunksAndFewAreOpenAtOnce) {
  const Dim rows = 6400, batch = 64, chunk = 100, open = 16;
  const SampleOrder order(rows, batch, true, {chunk, {0}, open}, 3);
  const auto all = epoch_of(order, rows, 0);
  std::set<Dim> seen, done;
  for (Dim step = 0; step < rows / batch; ++step) {
    std::set<Dim> chunks;
    for (Dim i = 0; i < batch; ++i) chunks.insert(all[static_cast<std::size_t>(step * batch + i)] / chunk);
    EXPECT_GE(chunks.size(), 14U) << step;
    EXPECT_LE(chunks.size(), static_cast<std::size_t>(2 * open)) << step;
  }
}

/// Each rank takes the same part of every batch: together they read little more than every chunk once.
TEST(SampleOrder, RanksShareFewChunks) {
  const Dim rows = 25600, batch = 128, chunk = 50, blocks = 8;
  const SampleOrder order(rows, batch, true, {chunk, {0}, 32}, 3);
  const auto all = epoch_of(order, rows, 0);
  for (const int ranks : {2, 4, 8}) {
    std::size_t read = 0;
    for (int rank = 0; rank < ranks; ++rank) {
      std::set<Dim> chunks;
      const IndexRange own = rank_samples(batch, blocks, ranks, rank);
      for (Dim step = 0; step < rows / batch; ++step) {
        for (Dim i = own.first; i < own.last; ++i)
          chunks.insert(all[static_cast<std::size_t>(step * batch + i)] / chunk);
      }
      read += chunks.size();
    }
    EXPECT_LE(read, static_cast<std::size_t>(rows / chunk) * 11 / 10) << ranks;
  }
}

/// Roughly uniform: samples of the file's first half are spread over both halves of the epoch.
TEST(SampleOrder, MixesTheWholeFile) {
  const Dim rows = 10000;
  const SampleOrder order(rows, 50, true, {100, {0}, 10}, 5);
  const auto all = epoch_of(order, rows, 0);
  const auto early = std::count_if(all.begin(), all.begin() + rows / 2, [&](Dim row) { return row < rows / 2; });
  EXPECT_NEAR(static_cast<double>(early), rows / 4.0, rows / 10.0);
}

}  // namespace
}  // namespace strata
