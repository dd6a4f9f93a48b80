// SPDX-License-Identifier: Apache-2.0
// Bad input ends mnist_mlp with one line from rank 0 and a status other than 0, within seconds, on any number of ranks.
#include <filesystem>

#include "tests/programs/bad_input.h"

namespace strata::testing {
namespace {

constexpr std::uint32_t kHuge = 0xffffffff;

const std::string kImages = "train-images-idx3-ubyte";
const std::string kLabels = "train-labels-idx1-ubyte";

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
       {kImages + ": ", "4294967295", "exceeds any file"},
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

class BadInputTest : public MnistMlpTest, public ::testing::WithParamInterface<BadInput> {};

TEST_P(BadInputTest, EndsWithOneLine) {
  const BadInput& bad = GetParam();
  if (bad.damage) bad.damage(directory());
  const Outcome outcome = alone(bad.options, std::chrono::seconds(20));
  EXPECT_EQ(outcome.status, 1) << outcome.text();
  EXPECT_LT(outcome.seconds, kBadInputSeconds);
  expect_one_line(outcome.err, bad);
  if (have_mpi()) expect_failed(on_ranks(2, bad.options, std::chrono::seconds(20)), bad);
}
INSTANTIATE_TEST_SUITE_P(Inputs, BadInputTest, ::testing::ValuesIn(bad_inputs()),
                         [](const auto& test) { return test.param.name; });

TEST_F(MnistMlpTest, DataThatCannotBeSplitIsRefused) {
  write_digits(directory(), 1, 1);
  const Outcome outcome = alone({});
  EXPECT_EQ(outcome.status, 1) << outcome.text();
  expect_one_line(outcome.err, {"", {}, {"contains 1 samples, which is not sufficient"}});
}

TEST_F(MnistMlpTest, AFullDiskIsAnError) {
  const Outcome outcome = alone({"--max-steps", "1", "--json", "/dev/full"});
  EXPECT_EQ(outcome.status, 1) << outcome.text();
  expect_one_line(outcome.err, {"", {}, {"/dev/full: cannot write the JSON report"}});
}

TEST_F(MnistMlpTest, ACheckOfTheReportLeavesNoFileBehind) {
  const Outcome outcome = alone({"--json", path("report.json"), "--data", path("nowhere")});
  EXPECT_EQ(outcome.status, 1) << outcome.text();
  EXPECT_FALSE(std::filesystem::exists(path("report.json")));
}

}  // namespace
}  // namespace strata::testing
