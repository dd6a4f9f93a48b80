// SPDX-License-Identifier: Apache-2.0
// Bad input ends mnist_mlp with one line from rank 0 and a status other than 0, within seconds, on any number of ranks.
#include <algorithm>
#include <filesystem>
#include <functional>
#include <ostream>

#include "tests/programs/mnist_mlp.h"

namespace strata::testing {
namespace {

using ::testing::IsSubstring;

constexpr double kSeconds = 5;
constexpr std::uint32_t kHuge = 0xffffffff;

const std::string kImages = "train-images-idx3-ubyte";
const std::string kLabels = "train-labels-idx1-ubyte";

struct BadInput {
  std::string name;
  Arguments options;
  std::vector<std::string> said;  // parts of the line
  std::function<void(const TemporaryDirectory&)> damage = {};

  friend void PrintTo(const BadInput& bad, std::ostream* out) { *out << bad.name; }
};

// Damages one of the files.
auto write(const std::string& name, const Bytes& bytes) {
  return [=](const TemporaryDirectory& directory) { write_file(directory.path(name), bytes); };
}

void cut_gzip(const TemporaryDirectory& directory) {
  const std::string text = read_text(directory.path(kImages));
  Bytes packed = gzip(Bytes(text.begin(), text.end()));
  packed.resize(packed.size() / 2);
  std::filesystem::remove(directory.path(kImages));
  write_file(directory.path(kImages + ".gz"), packed);
}

Bytes labels_with_a_ten() {
  Bytes labels = ramp(1000, 10);
  labels[123] = 10;
  return idx(8, {1000}, labels);
}

std::vector<BadInput> bad_inputs() {
  return {
      {"NoDirectory", {"--data", "nowhere"}, {"nowhere: expected a directory", "received nothing there"}},
      {"NoFile", {}, {kImages, "no such file"}, [](const auto& d) { std::filesystem::remove(d.path(kImages)); }},
      {"CutGzip", {}, {kImages + ".gz: ", "cut short"}, cut_gzip},
      {"WrongMagic",
       {},
       {kImages + ": expected the magic number", "received 0x7f454c46"},
       write(kImages, {0x7f, 'E', 'L', 'F', 0, 0, 0, 0})},
      {"HugeImages",
       {},
       {kImages + ": ", "4294967295", "exceed any file"},
       write(kImages, idx(8, {kHuge, kHuge, kHuge}, ramp(1000, 10)))},
      {"HugeNumberOfImages",
       {},
       {kImages + ": ", "expected 3367254359280 bytes, received 1000"},
       write(kImages, idx(8, {kHuge, 28, 28}, ramp(1000, 10)))},
      {"HugeLabels",
       {},
       {kLabels + ": ", "expected 4294967295 bytes, received 1000"},
       write(kLabels, idx(8, {kHuge}, ramp(1000, 10)))},
      {"CountsDiffer",
       {},
       {kLabels + ": expected 1000 labels", "received 999"},
       write(kLabels, idx(8, {999}, ramp(999, 10)))},
      {"LabelTen",
       {},
       {kLabels + ": expected labels 0 to 9, received 10 at position 123"},
       write(kLabels, labels_with_a_ten())},
      {"BatchSizeZero", {"--batch-size", "0"}, {"--batch-size: expected a whole number from 1", "received \"0\""}},
      {"NegativeEpochs", {"--epochs", "-3"}, {"--epochs: expected a whole number from 1", "received \"-3\""}},
      {"NegativeMaxSteps", {"--max-steps", "-1"}, {"--max-steps: expected a whole number from 0", "received \"-1\""}},
      {"NegativeBlocks", {"--blocks", "-1"}, {"--blocks: expected a whole number from 0", "received \"-1\""}},
      {"AccumulateZero", {"--accumulate", "0"}, {"--accumulate: expected a whole number from 1", "received \"0\""}},
      {"NanPolicy", {"--nan-policy", "pray"}, {"--nan-policy: expected ignore, skip or stop, received \"pray\""}},
      {"Verbose7", {"--verbose", "7"}, {"--verbose: expected a whole number from 0 to 2, received \"7\""}},
      {"SeedX", {"--seed", "x"}, {"--seed: expected a whole number from 0", "received \"x\""}},
      {"NegativeSeed", {"--seed", "-1"}, {"--seed: expected a whole number from 0", "received \"-1\""}},
      {"TooManyEpochs", {"--epochs", "99999999999"}, {"--epochs: expected a whole number", "received \"99999999999\""}},
      {"UnknownFlag", {"--bogus"}, {"not expected: --bogus", "--help"}},
      {"UnknownOptimizer", {"--optimizer", "magic"}, {"--optimizer: ", "magic", "Adam, AdamW"}},
      // Found out before training, which would take hours here.
      {"UnwritableReport",
       {"--json", "nowhere/report.json", "--epochs", "1000000"},
       {"nowhere/report.json: cannot write the JSON report"}},
  };
}

void expect_one_line(const std::string& err, const BadInput& bad) {
  EXPECT_EQ(std::count(err.begin(), err.end(), '\n'), 1) << err;
  for (const std::string& part : bad.said) EXPECT_PRED_FORMAT2(IsSubstring, part, err);
}

void expect_failed(const MpiOutcome& outcome, const BadInput& bad) {
  EXPECT_NE(outcome.status, 0) << outcome.text();
  EXPECT_LT(outcome.seconds, kSeconds);
  expect_one_line(outcome.ranks.at(0).err, bad);
  for (std::size_t r = 1; r < outcome.ranks.size(); ++r) {
    EXPECT_EQ(outcome.ranks[r].err + outcome.ranks[r].out, "") << "of rank " << r;
  }
}

class BadInputTest : public MnistMlpTest, public ::testing::WithParamInterface<BadInput> {};

TEST_P(BadInputTest, EndsWithOneLine) {
  const BadInput& bad = GetParam();
  if (bad.damage) bad.damage(directory());
  const Outcome outcome = alone(bad.options, std::chrono::seconds(20));
  EXPECT_EQ(outcome.status, 1) << outcome.text();
  EXPECT_LT(outcome.seconds, kSeconds);
  expect_one_line(outcome.err, bad);
  if (have_mpi()) expect_failed(on_ranks(2, bad.options, std::chrono::seconds(20)), bad);
}
INSTANTIATE_TEST_SUITE_P(Inputs, BadInputTest, ::testing::ValuesIn(bad_inputs()),
                         [](const auto& test) { return test.param.name; });

TEST_F(MnistMlpTest, MoreRanksThanBlocksAreRefused) {
  if (!have_mpi()) GTEST_SKIP() << "built without MPI";
  const BadInput bad{"", {"--blocks", "4"}, {"more ranks (5) than blocks (4)"}};
  expect_failed(on_ranks(5, bad.options, std::chrono::seconds(20)), bad);
}

// Ranks that exit before rank 0 has spoken would have mpirun end it: with many ranks on few cores some would.
TEST_F(MnistMlpTest, ManyRanksSayItOnce) {
  if (!have_mpi()) GTEST_SKIP() << "built without MPI";
  const BadInput bad{"", {"--data", path("nowhere")}, {"nowhere: expected a directory"}};
  for (int i = 0; i < 3; ++i) {
    const MpiOutcome outcome = on_ranks(8, bad.options, std::chrono::seconds(20));
    ASSERT_EQ(outcome.ranks.size(), 8u) << outcome.text();
    expect_failed(outcome, bad);
  }
}

TEST_F(MnistMlpTest, DataThatCannotBeSplitIsRefused) {
  write_digits(directory(), 1, 1);
  const Outcome outcome = alone({});
  EXPECT_EQ(outcome.status, 1) << outcome.text();
  expect_one_line(outcome.err, {"", {}, {"contains 1 samples, which is not sufficient"}});
}

TEST_F(MnistMlpTest, AFullDiskIsAnError) {
  if (!std::filesystem::exists("/dev/full")) GTEST_SKIP() << "no /dev/full";
  const Outcome outcome = alone({"--max-steps", "1", "--json", "/dev/full"});
  EXPECT_EQ(outcome.status, 1) << outcome.text();
  expect_one_line(outcome.err, {"", {}, {"/dev/full: cannot write the JSON report"}});
}

TEST_F(MnistMlpTest, ACheckOfTheReportLeavesNoFileBehind) {
  const Outcome outcome = alone({"--json", path("report.json"), "--data", path("nowhere")});
  EXPECT_EQ(outcome.status, 1) << outcome.text();
  EXPECT_FALSE(std::filesystem::exists(path("report.json")));
}

// mpirun's ":" gives rank 1 a command line of its own.
TEST_F(MnistMlpTest, ARankWithAnErrorOfItsOwnSaysIt) {
  if (!have_mpi()) GTEST_SKIP() << "built without MPI";
  const std::string program = STRATA_MNIST_MLP;
  const MpiOutcome outcome = on_ranks(1, {"--data", path(""), "--epochs", "100000", "--verbose", "0", ":", "-np", "1",
                                          program, "--data", path("nowhere"), "--verbose", "0"});
  EXPECT_NE(outcome.status, 0) << outcome.text();
  EXPECT_LT(outcome.seconds, kSeconds);
  ASSERT_EQ(outcome.ranks.size(), 2u) << outcome.text();
  expect_one_line(outcome.ranks[1].err, {"", {}, {"nowhere: expected a directory"}});
}

TEST_F(MnistMlpTest, RanksWithOtherOptionsAreRefused) {
  if (!have_mpi()) GTEST_SKIP() << "built without MPI";
  const std::string program = STRATA_MNIST_MLP;
  const MpiOutcome outcome = on_ranks(1, {"--data", path(""), "--batch-size", "64", "--verbose", "0", ":", "-np", "1",
                                          program, "--data", path(""), "--batch-size", "32", "--verbose", "0"});
  EXPECT_NE(outcome.status, 0) << outcome.text();
  EXPECT_LT(outcome.seconds, kSeconds);
  ASSERT_EQ(outcome.ranks.size(), 2u) << outcome.text();
  EXPECT_PRED_FORMAT2(IsSubstring, "has another plan than rank 0", outcome.ranks[0].err + outcome.ranks[1].err);
}

}  // namespace
}  // namespace strata::testing
