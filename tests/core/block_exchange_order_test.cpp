// SPDX-License-Identifier: Apache-2.0
// Sums of gradients and sums within the program start in one order on every rank: a communicator may rely on it.
#include <gtest/gtest.h>

#include <mutex>

#include "tests/support/block_training.h"
#include "tests/support/ranks.h"

namespace strata {
namespace {

using Started = std::vector<int>;  // numbers of sums, in the order in which they were prepared

class RecordedSum final : public BlockSum {
 public:
  RecordedSum(std::unique_ptr<BlockSum> sum, int number, Started& started)
      : sum_(std::move(sum)), number_(number), started_(started) {}
  void start() override {
    started_.push_back(number_);
    sum_->start();
  }
  bool advance() override { return sum_->advance(); }
  void wait() override { sum_->wait(); }

 private:
  std::unique_ptr<BlockSum> sum_;
  int number_;
  Started& started_;
};

/// Another communicator, of which the starts of sums are noted.
class RecordingCommunicator final : public Communicator {
 public:
  explicit RecordingCommunicator(Communicator& inner) : inner_(inner) {}
  const Started& started() const { return started_; }

  int rank() const override { return inner_.rank(); }
  int size() const override { return inner_.size(); }
  std::string describe(int rank) const override { return inner_.describe(rank); }
  void set_deadline(Clock::duration deadline) override { inner_.set_deadline(deadline); }
  Clock::duration deadline() const override { return inner_.deadline(); }
  void broadcast(void* data, std::size_t bytes, int root) override { inner_.broadcast(data, bytes, root); }
  void allgather(const void* send, void* receive, std::size_t bytes) override {
    inner_.allgather(send, receive, bytes);
  }
  void gather(const void* send, std::size_t bytes, std::span<void* const> receive,
              std::span<const std::size_t> receive_bytes, int root) override {
    inner_.gather(send, bytes, receive, receive_bytes, root);
  }
  void barrier() override { inner_.barrier(); }
  std::unique_ptr<Communicator> split(int color, int key) override { return inner_.split(color, key); }
  std::shared_ptr<Storage> allocate(Device& device, std::size_t bytes) override {
    return inner_.allocate(device, bytes);
  }
  std::unique_ptr<BlockSum> prepare_block_sum(Device& device, const BlockSumSpec& spec) override {
    return std::make_unique<RecordedSum>(inner_.prepare_block_sum(device, spec), prepared_++, started_);
  }
  void progress() override { inner_.progress(); }

 private:
  Communicator& inner_;
  Started started_;
  int prepared_ = 0;
};

TEST(BlockExchangeOrder, IsTheSameOnEveryRankEvenWithoutSamples) {
  for (const int threads : {1, 2}) {
    const std::vector<Dim> batches{13, 2, 1, 8};
    std::mutex mutex;
    std::vector<Started> all;
    testing::run_ranks(4, [&](Communicator& communicator) {
      RecordingCommunicator recording(communicator);
      testing::train_with_block_sums(recording, batches, {.blocks = 6, .threads = threads, .bucket_bytes = 64});
      const std::lock_guard lock(mutex);
      all.push_back(recording.started());
    });
    for (const Started& started : all) EXPECT_EQ(started, all[0]);
    // Buckets are prepared before the sums within the program. Some of them start before the last of those: they travel
    // while the backward pass goes on.
    const Started step(all[0].begin(), all[0].begin() + static_cast<std::ptrdiff_t>(all[0].size() / batches.size()));
    const int sums = *std::max_element(step.begin(), step.end());
    EXPECT_EQ(step.front(), sums - 6) << "4 means and counts, a denominator, 2 gradients, one of which is the last";
    EXPECT_NE(std::find(step.begin(), step.end(), sums) - step.begin(), 6) << "a bucket starts before the last sum";
  }
}

}  // namespace
}  // namespace strata
