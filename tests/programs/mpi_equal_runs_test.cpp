// SPDX-License-Identifier: Apache-2.0
// The same job on other numbers of ranks and threads: equal bits with fixed blocks, close losses with the default.
#include <filesystem>

#include "tests/programs/mnist_mlp.h"

namespace strata::testing {
namespace {

class EqualRunsTest : public MnistMlpTest {
 protected:
  using MnistMlpTest::MnistMlpTest;
  void SetUp() override {
    MnistMlpTest::SetUp();
    // 808 are trained with: no multiple of 50, 64 or 12.
    write_digits(directory(), 1010, 200);
  }

  void expect_equal(const nlohmann::json& one, int ranks, const Arguments& options, int threads = 1) const {
    SCOPED_TRACE(std::to_string(ranks) + " ranks, " + std::to_string(threads) + " threads");
    const auto other = report(ranks, options, threads);
    EXPECT_EQ(other.at("ranks"), ranks);
    for (const char* name : {"weights_xxh64", "history", "test_loss", "test_accuracy", "steps", "blocks"}) {
      EXPECT_EQ(other.at(name), one.at(name)) << name;
    }
  }
};

class BatchSizeTest : public EqualRunsTest, public ::testing::WithParamInterface<int> {};

TEST_P(BatchSizeTest, TwelveBlocksGiveEqualBitsOnAnyRanksAndThreads) {
  const Arguments options{"--blocks", "12", "--batch-size", std::to_string(GetParam()), "--epochs", "2"};
  const auto one = report(1, options);
  EXPECT_EQ(one.at("blocks"), 12);
  for (const int ranks : {2, 3, 4}) expect_equal(one, ranks, options);
  expect_equal(one, 1, options, 2);
  expect_equal(one, 3, options, 2);
}
INSTANTIATE_TEST_SUITE_P(BatchSizes, BatchSizeTest, ::testing::Values(64, 50));

// If blocks had no effect on the bits, the test above would show nothing.
TEST_F(EqualRunsTest, OtherBlocksRoundOtherwise) {
  const auto hash = [&](const std::string& blocks) { return report(1, {"--blocks", blocks}).at("weights_xxh64"); };
  EXPECT_NE(hash("12"), hash("1"));
}

TEST_F(EqualRunsTest, ABatchWithFewerSamplesThanRanks) {
  const Arguments options{"--blocks", "3", "--batch-size", "2", "--max-steps", "60"};
  const auto one = report(1, options);
  expect_equal(one, 3, options);
  expect_equal(one, 2, options);
  // By default 3 ranks have 3 blocks.
  expect_equal(one, 3, {"--batch-size", "2", "--max-steps", "60"});
}

TEST_F(EqualRunsTest, ManyMoreRanksThanSamples) {
  const Arguments options{"--blocks", "6", "--batch-size", "1", "--max-steps", "20"};
  expect_equal(report(1, options), 6, options);
}

TEST_F(EqualRunsTest, EveryOptimizerGivesEqualBits) {
  for (const char* name : {"sgd", "adam"}) {
    const Arguments options{"--blocks", "12", "--epochs", "1", "--optimizer", name};
    expect_equal(report(1, options), 3, options);
  }
}

TEST_F(EqualRunsTest, AShardedOptimizerGivesEqualBits) {
  const Arguments options{"--blocks", "12", "--epochs", "1", "--optimizer", "adam", "--accumulate", "3"};
  const auto one = report(1, options);
  Arguments sharded = options;
  sharded.insert(sharded.end(), {"--shard-optimizer", "--nan-policy", "stop"});
  for (const int ranks : {1, 2, 3}) expect_equal(one, ranks, sharded);
  EXPECT_NE(report(1, {"--blocks", "12", "--epochs", "1", "--optimizer", "adam"}).at("weights_xxh64"),
            one.at("weights_xxh64"))
      << "three steps make one update";
}

TEST_F(EqualRunsTest, TheDefaultBlocksAgreeAfterTenSteps) {
  const auto loss = [&](int ranks, const char* seed) {
    return report(ranks, {"--max-steps", "10", "--seed", seed}).at("history").at("loss").at(0).get<double>();
  };
  for (const char* seed : {"0", "1"}) {
    const double one = loss(1, seed);
    EXPECT_GT(one, 0.1);
    EXPECT_NEAR(loss(2, seed), one, 1e-5);
    EXPECT_NEAR(loss(3, seed), one, 1e-5);
  }
}

class LenetTest : public EqualRunsTest {
 protected:
  LenetTest() : EqualRunsTest(STRATA_LENET) {}
};

TEST_F(LenetTest, LearnsAndGivesEqualBits) {
  const Arguments options{"--blocks", "5", "--epochs", "3"};
  const auto one = report(1, options);
  EXPECT_GT(one.at("test_accuracy"), 0.95);
  expect_equal(one, 2, options);
  expect_equal(one, 1, options, 2);
}

struct RowsExample {
  std::string program, epochs;
};

/// The examples over image rows.
class RowsTest : public EqualRunsTest, public ::testing::WithParamInterface<RowsExample> {
 protected:
  RowsTest() : EqualRunsTest(GetParam().program) {}
};

TEST_P(RowsTest, LearnAndGiveEqualBits) {
  const Arguments options{"--blocks", "5", "--epochs", GetParam().epochs};
  const auto one = report(1, options);
  EXPECT_GT(one.at("test_accuracy"), 0.9);
  expect_equal(one, 2, options);
  expect_equal(one, 1, options, 2);
}
INSTANTIATE_TEST_SUITE_P(Examples, RowsTest,
                         ::testing::Values(RowsExample{STRATA_LSTM_ROWS, "6"},
                                           RowsExample{STRATA_TRANSFORMER_ROWS, "20"}),
                         [](const auto& test) { return test.index == 0 ? "lstm_rows" : "transformer_rows"; });

TEST_F(EqualRunsTest, AnEpochOfRealImages) {
  const std::string data = STRATA_FASHION_MNIST_DIR;
  if (!std::filesystem::exists(data + "/train-images-idx3-ubyte.gz")) GTEST_SKIP() << "Fashion-MNIST is not installed";
  const Arguments options{"--data", data, "--blocks", "12", "--epochs", "1"};
  const auto one = report(1, options);
  EXPECT_GT(one.at("test_accuracy"), 0.78);
  EXPECT_EQ(one.at("steps"), 750);
  expect_equal(one, 2, options);
  expect_equal(one, 3, options);
}

}  // namespace
}  // namespace strata::testing
