// SPDX-License-Identifier: Apache-2.0
#include "core/training/batch_loader.h"

#include <gtest/gtest.h>

#include <future>
#include <thread>

#include "core/base/error.h"
#include "tests/support/counting_source.h"
#include "tests/support/expect_error.h"

namespace strata {
namespace {

using testing::CountingSource;
using testing::expect_error_with;

/// The first numbers of this rank's samples.
std::vector<float> loaded(BatchLoader& loader, const BatchPlan& plan, std::int64_t epoch, Dim step) {
  const HostArray& x = loader.load(epoch, step)[0];
  std::vector<float> values;
  for (Dim i = 0; i < plan.own(step).size(); ++i) values.push_back(*reinterpret_cast<const float*>(x.row(i)));
  return values;
}

std::vector<float> expected_rows(const SampleOrder& order, const BatchPlan& plan, std::int64_t epoch, Dim step) {
  SampleOrder::Epoch in_epoch(order, static_cast<std::uint64_t>(epoch));
  const IndexRange own = plan.own(step);
  std::vector<float> values;
  for (Dim i = own.first; i < own.last; ++i) {
    values.push_back(CountingSource::value(in_epoch(step * plan.batch_size + i), 0, plan.rows));
  }
  return values;
}

TEST(BatchLoader, GivesEveryRankItsSamplesInOrder) {
  for (const Dim rows : {1, 4, 37}) {
    for (const int ranks : {1, 2, 3, 5}) {
      for (const int threads : {0, 1, 3}) {
        const Dim batch = std::min<Dim>(rows, 8), steps = (rows + batch - 1) / batch;
        const SampleOrder order(rows, batch, true, {4, {0}, 3}, 7);
        std::vector<int> count(static_cast<std::size_t>(rows) * 3);
        for (int rank = 0; rank < ranks; ++rank) {
          const auto source = std::make_shared<CountingSource>(rows);
          const BatchPlan plan{rows, batch, steps, 5, ranks, rank, 3};
          {
            BatchLoader loader(source, order, plan, {.threads = threads});
            for (std::int64_t epoch = 0; epoch < 3; ++epoch) {
              for (Dim step = 0; step < steps; ++step) {
                ASSERT_EQ(loaded(loader, plan, epoch, step), expected_rows(order, plan, epoch, step))
                    << rows << " rows, rank " << rank << " of " << ranks << ", " << threads << " threads";
              }
            }
          }
          for (const SampleRef& sample : source->seen()) ++count[static_cast<std::size_t>(sample.index)];
        }
        // Every sample of every epoch is read once, by one rank.
        EXPECT_EQ(count, std::vector<int>(count.size(), 1)) << rows << " rows, " << ranks << " ranks";
      }
    }
  }
}

TEST(BatchLoader, BeginsAnewAnywhere) {
  const SampleOrder order(50, 8, true, {}, 1);
  const BatchPlan plan{50, 8, 7, 1, 1, 0, 10};
  BatchLoader loader(std::make_shared<CountingSource>(50), order, plan, {.threads = 2, .batches = 3});
  for (const auto& [epoch, step] : std::vector<std::pair<int, Dim>>{{4, 3}, {4, 4}, {0, 0}, {9, 6}, {9, 6}, {2, 5}}) {
    EXPECT_EQ(loaded(loader, plan, epoch, step), expected_rows(order, plan, epoch, step)) << epoch << " " << step;
  }
}

TEST(BatchLoader, ReadsAheadAsFarAsItMayAndNotBehindTheEnd) {
  const auto source = std::make_shared<CountingSource>(40);
  const SampleOrder order(40, 4, false, {}, 1);
  const BatchPlan plan{40, 4, 10, 1, 1, 0, 1};
  BatchLoader loader(source, order, plan, {.threads = 1, .batches = 3});
  const auto read_after = [&](std::size_t samples) {
    for (int i = 0; i < 500 && source->seen().size() < samples; ++i) {
      std::this_thread::sleep_for(std::chrono::milliseconds(10));
    }
    std::this_thread::sleep_for(std::chrono::milliseconds(50));
    return source->seen().size();
  };
  loader.load(0, 0);
  EXPECT_EQ(read_after(12), 12U);  // this batch and two more
  loader.load(0, 1);
  EXPECT_EQ(read_after(16), 16U);
  for (Dim step = 2; step < 10; ++step) loader.load(0, step);
  EXPECT_EQ(read_after(40), 40U);
}

TEST(BatchLoader, ErrorsComeWithTheBatchThatTheyBelongTo) {
  const auto source = std::make_shared<CountingSource>(40);
  source->before_read = [](std::span<const SampleRef> samples) {
    for (const SampleRef& sample : samples) {
      if (sample.row == 21) throw IoError("file", "sample 21 is damaged");
    }
  };
  const SampleOrder order(40, 4, false, {}, 1);
  const BatchPlan plan{40, 4, 10, 1, 1, 0, 1};
  for (const int threads : {0, 1, 4}) {
    BatchLoader loader(source, order, plan, {.threads = threads, .batches = 4});
    for (Dim step = 0; step < 5; ++step) EXPECT_NO_THROW(loader.load(0, step)) << step;
    expect_error_with<IoError>([&] { loader.load(0, 5); }, "file: sample 21 is damaged");
    EXPECT_EQ(loaded(loader, plan, 0, 6), expected_rows(order, plan, 0, 6));
  }
}

TEST(BatchLoader, SamplesThatNoMemoryHoldsAreErrors) {
  const SampleOrder order(8, 4, false, {}, 1);
  const BatchPlan plan{8, 4, 2, 1, 1, 0, 1};
  for (const Dim width : {Dim{1} << 45, Dim{1} << 60}) {
    expect_error_with<IoError>(
        [&] { BatchLoader(std::make_shared<CountingSource>(8, ChunkLayout(), width), order, plan, {.threads = 0}); },
        "numbers: a batch of float32 (4, " + std::to_string(width) + ") does not fit into memory");
  }
  for (const int threads : {0, 1}) {
    const auto source = std::make_shared<CountingSource>(8);
    source->before_read = [](auto) { throw std::bad_alloc(); };
    BatchLoader loader(source, order, plan, {.threads = threads});
    expect_error_with<IoError>([&] { loader.load(0, 0); }, "numbers: what is read together with a sample");
  }
}

TEST(BatchLoader, AReadThatHangsIsAnErrorInTime) {
  const auto source = std::make_shared<CountingSource>(8);
  std::promise<void> end;
  source->before_read = [hang = end.get_future().share()](auto) { hang.wait(); };
  const SampleOrder order(8, 4, false, {}, 1);
  const BatchPlan plan{8, 4, 2, 1, 1, 0, 1};
  const auto start = std::chrono::steady_clock::now();
  {
    BatchLoader loader(source, order, plan, {.deadline = std::chrono::milliseconds(200)});
    expect_error_with<IoError>([&] { loader.load(0, 1); },
                               "numbers: expected the samples of epoch 1, step 2 within 0.2");
  }  // the thread that hangs does not keep the loader from being destroyed
  EXPECT_LT(std::chrono::steady_clock::now() - start, std::chrono::seconds(10));
  end.set_value();
}

}  // namespace
}  // namespace strata
