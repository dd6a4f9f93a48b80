// SPDX-License-Identifier: Apache-2.0
// What a run carries from step to step besides weights and optimizer comes back from its checkpoints: the states of
// stateful layers, and what compressed transfers still owe.
#include <gtest/gtest.h>

#include <filesystem>
#include <mutex>
#include <numeric>

#include "strata/strata.h"
#include "tests/support/files.h"
#include "tests/support/interrupted_training.h"
#include "tests/support/ranks.h"

namespace strata {
namespace {

using testing::Interrupt;
using testing::Interruption;
using testing::SmallResult;

using Callbacks = std::vector<CallbackRef>;
using Hosts = std::vector<int>;

Tensor values(const Shape& shape, int factor) {
  std::vector<float> all(static_cast<std::size_t>(shape.elements()));
  for (std::size_t i = 0; i < all.size(); ++i) {
    all[i] = static_cast<float>(i * static_cast<std::size_t>(factor) % 101) / 50.0F - 1.0F;
  }
  return constant(all, shape);
}

class CheckpointStateTest : public ::testing::Test {
 protected:
  // Alone they train in the session of the tests that follow.
  void TearDown() override { set_seed(seed_); }
  std::string path() const { return directory_.path("c"); }
  void clear() const { std::filesystem::remove_all(path()); }
  CheckpointOptions every(Dim steps) const { return {.directory = path(), .every_steps = steps}; }

  /// Five steps an epoch, three epochs.
  SmallResult train_stateful(const CheckpointOptions& checkpoint, const Callbacks& callbacks, Dim blocks) const {
    clear_session();
    set_seed(1);
    const Tensor input = Input({.batch_shape = {8, 5, 3}});
    Tensor x = layers::LSTM(4, {.return_sequences = true, .stateful = true, .name = "lstm"})(input);
    x = layers::Bidirectional(layers::GRU(3, {.stateful = true}))(x);
    Model model(input, layers::Dense(2, {.name = "dense"})(x));
    model.compile({.optimizer = testing::small_adam(), .loss = losses::MeanSquaredError()});
    SmallResult result;
    result.history = model.fit(values({40, 5, 3}, 37), values({40, 2}, 7),
                               {.batch_size = 8,
                                .epochs = 3,
                                .verbose = 0,
                                .callbacks = callbacks,
                                .validation_data = {values({8, 5, 3}, 11), values({8, 2}, 5)},
                                .shuffle = false,
                                .blocks = blocks,
                                .checkpoint = checkpoint});
    result.weights = model.weights_hash();
    return result;
  }

  /// Sixteen steps on two hosts or more, or one. In small buckets, so that there are several.
  SmallResult train_compressed(const CheckpointOptions& checkpoint, const Callbacks& callbacks, bool shard) const {
    clear_session();
    set_seed(1);
    const Tensor input = Input({20});
    Model model(input, layers::Dense(3)(layers::Dense(400, {.activation = "tanh"})(input)));
    model.compile({.optimizer = testing::small_adam(), .loss = "mse", .shard_optimizer = shard});
    SmallResult result;
    result.history = model.fit(values({64, 20}, 37), values({64, 3}, 7),
                               {.batch_size = 8,
                                .epochs = 2,
                                .verbose = 0,
                                .callbacks = callbacks,
                                .blocks = 4,
                                .bucket_mb = 0.01,
                                .compress_transfer = true,
                                .checkpoint = checkpoint});
    result.weights = model.weights_hash();
    return result;
  }

  SmallResult compressed_on(const Hosts& hosts, bool shard, const CheckpointOptions& checkpoint = {}) const {
    SmallResult result;
    std::mutex mutex;
    testing::run_ranks(
        std::accumulate(hosts.begin(), hosts.end(), 0),
        [&](Communicator& communicator) {
          const SmallResult own = train_compressed(checkpoint, {}, shard);
          const std::lock_guard<std::mutex> lock(mutex);
          if (communicator.rank() == 0) result = own;
        },
        hosts);
    return result;
  }

  void interrupt_compressed(const Hosts& hosts, bool shard) const {
    testing::run_ranks(
        std::accumulate(hosts.begin(), hosts.end(), 0),
        [&](Communicator&) { EXPECT_THROW(train_compressed(every(3), {Interrupt(8)}, shard), Interruption); }, hosts);
  }

 private:
  std::uint64_t seed_ = Session::current().seed();
  testing::TemporaryDirectory directory_;
};

TEST_F(CheckpointStateTest, OfStatefulLayersOnAnyNumberOfRanks) {
  const SmallResult whole = train_stateful({}, {}, 4);
  for (const auto& [from, to] : {std::pair{1, 1}, {1, 4}, {4, 1}, {2, 3}}) {
    for (const int stop : {4, 6, 13}) {
      SCOPED_TRACE(std::to_string(from) + " to " + std::to_string(to) + ", after " + std::to_string(stop));
      clear();
      testing::run_ranks(from, [&, end = stop](Communicator&) {
        EXPECT_THROW(train_stateful(every(2), {Interrupt(end)}, 4), Interruption);
      });
      testing::run_ranks(to, [&](Communicator&) {
        const SmallResult rest = train_stateful(every(2), {}, 0);
        EXPECT_GT(rest.history.resumed_steps, 0);
        EXPECT_EQ(rest, whole);
      });
    }
  }
}

TEST_F(CheckpointStateTest, OfStatefulLayersHasNames) {
  train_stateful(every(5), {}, 1);
  const auto saved = checkpoint_files().open(path(), 15, checkpoint_files().manifest(path(), 15));
  std::vector<std::string> names;
  for (const StateTensor& tensor : saved->tensors()) {
    if (tensor.name.starts_with("states/")) names.push_back(tensor.name + " " + tensor.spec.str());
  }
  ASSERT_EQ(names.size(), 4u);
  EXPECT_EQ(names[0], "states/lstm/rnn_state float32 (8, 4)");
  EXPECT_EQ(names[1], "states/lstm/rnn_state#2 float32 (8, 4)");
}

TEST_F(CheckpointStateTest, OfCompressedTransfersOnTheSameHosts) {
  for (const Hosts& hosts : {Hosts{1, 1}, Hosts{2, 1}, Hosts{1, 1, 1}}) {
    for (const bool shard : {false, true}) {
      SCOPED_TRACE(std::to_string(hosts.size()) + " hosts, " + std::to_string(hosts[0]) + (shard ? ", sharded" : ""));
      clear();
      const SmallResult whole = compressed_on(hosts, shard);
      interrupt_compressed(hosts, shard);
      ::testing::internal::CaptureStderr();
      EXPECT_EQ(compressed_on(hosts, shard, every(3)), whole);
      EXPECT_EQ(::testing::internal::GetCapturedStderr(), "");
    }
  }
}

TEST_F(CheckpointStateTest, OfCompressedTransfersIsLeftOutOnOtherHostsWithAWarning) {
  const SmallResult whole = compressed_on({1, 1}, false);
  for (const Hosts& hosts : {Hosts{2}, Hosts{1, 2}, Hosts{1}}) {
    SCOPED_TRACE(hosts.size());
    clear();
    interrupt_compressed({1, 1}, false);
    ::testing::internal::CaptureStderr();
    const SmallResult rest = compressed_on(hosts, false, every(3));
    EXPECT_PRED_FORMAT2(::testing::IsSubstring, "Warning: the ranks are spread over hosts in another way",
                        ::testing::internal::GetCapturedStderr());
    EXPECT_GT(rest.history.resumed_steps, 0);
    EXPECT_NEAR(rest.history.at("loss").back(), whole.history.at("loss").back(), 1e-2);
  }
}

}  // namespace
}  // namespace strata
