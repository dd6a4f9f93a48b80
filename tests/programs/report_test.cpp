// SPDX-License-Identifier: Apache-2.0
// What mnist_mlp writes: help, the JSON report, standard output.
#include <cstdint>
#include <regex>

#include "tests/programs/mnist_mlp.h"
#include "tests/support/golden_text.h"

namespace strata::testing {
namespace {

using ::testing::IsSubstring;

constexpr const char* kOptions[] = {"--data",      "--epochs",  "--batch-size", "--max-steps", "--seed",
                                    "--optimizer", "--verbose", "--json",       "--blocks"};

void expect_help(const std::string& text) {
  EXPECT_PRED_FORMAT2(IsSubstring, "Usage:", text);
  for (const char* option : kOptions) EXPECT_PRED_FORMAT2(IsSubstring, option, text);
}

std::string hash(const nlohmann::json& report) { return report.at("weights_xxh64"); }

TEST_F(MnistMlpTest, HelpNamesEveryOption) {
  const Outcome outcome = alone({"--help"});
  EXPECT_TRUE(outcome.succeeded()) << outcome.text();
  EXPECT_EQ(outcome.err, "");
  expect_help(outcome.out);
  if (!have_mpi()) return;
  const MpiOutcome of_two = on_ranks(2, {"--help"});
  EXPECT_TRUE(of_two.succeeded()) << of_two.text();
  expect_help(of_two.ranks.at(0).out);
  EXPECT_EQ(of_two.ranks.at(1).out, "");
}

void expect_sane(const nlohmann::json& report, int ranks) {
  EXPECT_EQ(report.at("ranks"), ranks);
  EXPECT_EQ(report.at("blocks"), ranks);
  EXPECT_EQ(report.at("steps"), 3 * 13);  // 800 of 1,000 images in batches of 64
  for (const char* name : {"loss", "accuracy", "val_loss", "val_accuracy"}) {
    EXPECT_EQ(report.at("history").at(name).size(), 3u) << name;
  }
  EXPECT_LT(report["history"]["loss"][2], 0.5 * report["history"]["loss"][0].get<double>());
  EXPECT_GT(report["history"]["val_accuracy"][2], 0.9);
  EXPECT_LT(report.at("test_loss"), 1.0);
  EXPECT_GT(report.at("test_accuracy"), 0.9);
  EXPECT_LE(report["test_accuracy"], 1.0);
  EXPECT_GT(report.at("steps_per_second"), 1.0);
  EXPECT_GT(report.at("seconds_to_first_step"), 0.0);
  EXPECT_LT(report["seconds_to_first_step"], 20.0);
  EXPECT_GT(report.at("peak_rss_bytes"), std::int64_t{1} << 23);
  EXPECT_LT(report["peak_rss_bytes"], std::int64_t{1} << 32);
  EXPECT_TRUE(std::regex_match(hash(report), std::regex("[0-9a-f]{16}"))) << report;
}

TEST_F(MnistMlpTest, ReportHoldsWhatTheRunDid) {
  expect_sane(report(1, {"--epochs", "3"}), 1);
  if (have_mpi()) expect_sane(report(2, {"--epochs", "3"}), 2);
}

TEST_F(MnistMlpTest, ReportReplacesAnOlderOne) {
  const std::string file = path("report.json");
  write_file(file, Bytes(10'000, 'x'));
  EXPECT_EQ(report(1, {"--max-steps", "2"}).at("steps"), 2);
}

TEST_F(MnistMlpTest, SeedAndStepsDecideTheWeights) {
  const std::string first = hash(report(1, {"--max-steps", "10", "--seed", "7"}));
  EXPECT_EQ(hash(report(1, {"--max-steps", "10", "--seed", "7"})), first);
  EXPECT_NE(hash(report(1, {"--max-steps", "10", "--seed", "8"})), first);
  EXPECT_NE(hash(report(1, {"--max-steps", "11", "--seed", "7"})), first);
}

TEST_F(MnistMlpTest, EveryOptimizerLearnsInItsOwnWay) {
  std::vector<std::string> hashes;
  for (const char* name : {"sgd", "rmsprop", "adam"}) {
    const auto json = report(1, {"--epochs", "2", "--optimizer", name});
    EXPECT_LT(json["history"]["loss"][1], json["history"]["loss"][0].get<double>()) << name;
    hashes.push_back(hash(json));
  }
  EXPECT_NE(hashes[0], hashes[1]);
  EXPECT_NE(hashes[1], hashes[2]);
  EXPECT_NE(hashes[0], hashes[2]);
}

// The lines after the model's summary, with one line an epoch.
const std::regex& plain_lines() {
  static const std::regex lines(
      "Train on 800 samples, validate on 200 samples\n"
      "Epoch 1/2\n"
      "800/800 - \\d+s - loss: \\d\\.\\d{4} - accuracy: \\d\\.\\d{4} - val_loss: \\d\\.\\d{4} - val_accuracy: "
      "\\d\\.\\d{4}\n"
      "Epoch 2/2\n"
      "800/800 - \\d+s - loss: \\d\\.\\d{4} - accuracy: \\d\\.\\d{4} - val_loss: \\d\\.\\d{4} - val_accuracy: "
      "\\d\\.\\d{4}\n"
      "200/200 - \\d+s - loss: \\d\\.\\d{4} - accuracy: \\d\\.\\d{4}\n"
      "Test loss: \\d\\.\\d{6}\n"
      "Test accuracy: \\d\\.\\d{6}\n");
  return lines;
}

void expect_lines(const std::string& out) {
  const std::string summary = golden_text("summaries/mnist_model.txt");
  ASSERT_EQ(out.substr(0, summary.size()), summary);
  EXPECT_TRUE(std::regex_match(out.substr(summary.size()), plain_lines())) << out;
}

TEST_F(MnistMlpTest, PrintsWhatKerasPrints) {
  const Outcome outcome = alone({"--epochs", "2", "--verbose", "2"});
  EXPECT_TRUE(outcome.succeeded()) << outcome.text();
  EXPECT_EQ(outcome.err, "");
  expect_lines(outcome.out);
  if (!have_mpi()) return;
  const MpiOutcome of_three = on_ranks(3, {"--epochs", "2", "--verbose", "2"});
  EXPECT_TRUE(of_three.succeeded()) << of_three.text();
  expect_lines(of_three.ranks.at(0).out);
  EXPECT_EQ(of_three.err, "");
  for (const auto& rank : of_three.ranks) EXPECT_EQ(rank.err, "");
  EXPECT_EQ(of_three.ranks.at(1).out + of_three.ranks.at(2).out, "");
}

TEST_F(MnistMlpTest, TheProgressBarIsPlainTextInAFile) {
  const Outcome outcome = alone({"--epochs", "1", "--verbose", "1"});
  EXPECT_TRUE(outcome.succeeded()) << outcome.text();
  EXPECT_EQ(outcome.out.find_first_of("\b\r"), std::string::npos) << outcome.out;
  EXPECT_PRED_FORMAT2(IsSubstring, "\n800/800 [", outcome.out);
}

TEST_F(MnistMlpTest, SilentMeansSilent) {
  const Outcome outcome = alone({"--epochs", "1", "--verbose", "0"});
  EXPECT_TRUE(outcome.succeeded()) << outcome.text();
  EXPECT_EQ(outcome.out + outcome.err, "");
  if (!have_mpi()) return;
  const MpiOutcome ranks = on_ranks(2, {"--epochs", "1", "--verbose", "0"});
  EXPECT_TRUE(ranks.succeeded()) << ranks.text();
  EXPECT_EQ(ranks.out + ranks.err, "");
  for (const auto& rank : ranks.ranks) EXPECT_EQ(rank.out + rank.err, "");
}

}  // namespace
}  // namespace strata::testing
