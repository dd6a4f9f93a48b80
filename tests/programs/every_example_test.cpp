// SPDX-License-Identifier: Apache-2.0
// What all examples promise: one set of options, under mpirun as well.
#include <gtest/gtest.h>

#include <filesystem>
#include <nlohmann/json.hpp>
#include <set>
#include <sstream>

#include "tests/programs/mnist_mlp.h"

namespace strata::testing {
namespace {

/// All but keras_file, whose options are those of a converter, and those that are MPI programs of their own.
std::vector<std::string> examples() {
  std::istringstream names(STRATA_EXAMPLES);
  std::vector<std::string> all;
  for (std::string name; names >> name;) {
    if (name != "keras_file" && !name.starts_with("mpi_")) all.push_back(name);
  }
  return all;
}

/// The examples that do not train with fit.
const std::set<std::string> kOwnLoops{"tree_rnn", "vgg19_features"};

class EveryExample : public ::testing::TestWithParam<std::string> {
 protected:
  Command command(std::vector<std::string> arguments) const {
    arguments.insert(arguments.begin(), std::string(STRATA_BIN_DIR) + "/" + GetParam());
    return {arguments, {{"OMP_NUM_THREADS", "1"}}, std::chrono::seconds(100)};
  }
  std::string path(const std::string& name) const { return directory_.path(name); }
  static bool trains_in_own_loop() { return kOwnLoops.contains(GetParam()); }
  /// MNIST's and CIFAR-10's files in one directory.
  void write_data() const {
    write_digits(directory_, 200, 40);
    const Outcome converted = run_process({{STRATA_BIN_DIR "/tests/fashion_to_cifar10", path(""), path(""), "40"}});
    ASSERT_TRUE(converted.succeeded()) << converted.text();
  }
  /// One rank is run without mpirun.
  void expect_success(int ranks, const Command& command) const {
    if (ranks == 1) {
      const Outcome outcome = run_process(command);
      EXPECT_TRUE(outcome.succeeded()) << outcome.text();
    } else {
      const MpiOutcome outcome = run_mpi(ranks, command);
      EXPECT_TRUE(outcome.succeeded()) << outcome.text();
    }
  }

 private:
  TemporaryDirectory directory_;
};

TEST_P(EveryExample, NamesTheCommonOptions) {
  const Outcome outcome = run_process(command({"--help"}));
  ASSERT_TRUE(outcome.succeeded()) << outcome.text();
  for (const char* option : {"--data",
                             "--epochs",
                             "--batch-size",
                             "--max-steps",
                             "--seed",
                             "--optimizer",
                             "--json",
                             "--plot",
                             "--summary-only",
                             "--blocks",
                             "--verbose",
                             "--shard-optimizer",
                             "--accumulate",
                             "--nan-policy",
                             "--compress-transfer",
                             "--timeline",
                             "--bucket-mb",
                             "--deadline",
                             "--checkpoint-dir",
                             "--checkpoint-every",
                             "--resume",
                             "--keep",
                             "--save-before"}) {
    EXPECT_NE(outcome.out.find(option), std::string::npos) << option << " in " << outcome.out;
  }
}

TEST_P(EveryExample, ShowsItsModelWithoutData) {
  const Outcome outcome = run_process(command({"--summary-only", "--plot", path("model.dot")}));
  EXPECT_NE(outcome.out, "");
  if (GetParam() == "tree_rnn") {  // a recursive function is no graph
    EXPECT_EQ(outcome.status, 1);
    EXPECT_EQ(outcome.err, "Model tree_rnn has not yet been built, so there is nothing to plot.\n");
    return;
  }
  ASSERT_TRUE(outcome.succeeded()) << outcome.text();
  EXPECT_NE(read_text(path("model.dot")).find("digraph"), std::string::npos);
}

TEST_P(EveryExample, RunsOnTwoRanksAndReports) {
  const int ranks = have_mpi() ? 2 : 1;
  write_data();
  Command run = command({"--data",       path(""),
                         "--epochs",     "1",
                         "--batch-size", "8",
                         "--max-steps",  "2",
                         "--seed",       "3",
                         "--optimizer",  "sgd",
                         "--accumulate", "2",
                         "--json",       path("report.json"),
                         "--timeline",   path("timeline.json"),
                         "--bucket-mb",  "0.1",
                         "--deadline",   "30"});
  if (!trains_in_own_loop()) {
    run.arguments.insert(run.arguments.end(), {"--shard-optimizer", "--compress-transfer", "--nan-policy", "stop"});
  }
  if (GetParam() == "vgg19_features")
    run.arguments.insert(run.arguments.end(), {"--size", "16", "--output", path("o.png")});
  expect_success(ranks, run);
  const auto report = nlohmann::json::parse(read_text(path("report.json")));
  EXPECT_EQ(report.at("ranks"), ranks);
  EXPECT_EQ(report.at("weights_xxh64").get<std::string>().size(), 16u);
  EXPECT_LE(report.at("steps").get<int>(), 2);
  for (const char* cost : {"bytes_sent", "hidden_seconds", "exposed_seconds"}) {
    EXPECT_GE(report.at("communication").at(cost).get<double>(), 0.0) << cost;
  }
  const auto timeline = nlohmann::json::parse(read_text(path("timeline.json")));
  std::vector<int> steps(static_cast<std::size_t>(ranks));
  for (const auto& event : timeline.at("traceEvents")) {
    if (event.at("name") == "training step") ++steps.at(event.at("pid").get<std::size_t>());
  }
  EXPECT_GE(steps[0], report.at("steps").get<int>());  // some examples train twice, and report once
  EXPECT_EQ(steps, std::vector<int>(steps.size(), steps[0]));
}

class EveryExampleWithFit : public EveryExample {};

TEST_P(EveryExampleWithFit, GoesOnFromItsCheckpoint) {
  write_data();
  const auto report_after = [&](const std::string& steps, const std::vector<std::string>& more) {
    Command run = command({"--data", path(""), "--epochs", "3", "--batch-size", "8", "--max-steps", steps, "--json",
                           path("report.json"), "--blocks", "2", "--verbose", "0"});
    run.arguments.insert(run.arguments.end(), more.begin(), more.end());
    expect_success(1, run);
    return nlohmann::json::parse(read_text(path("report.json")));
  };
  const std::vector<std::string> checkpoints{"--checkpoint-dir", path("c"), "--checkpoint-every", "1", "--keep", "1"};
  const nlohmann::json whole = report_after("3", {}), half = report_after("2", checkpoints);
  const bool trains = whole.at("steps") > 0;  // some only show what they compute
  EXPECT_EQ(half.at("weights_xxh64") != whole.at("weights_xxh64"), trains);
  EXPECT_EQ(std::filesystem::exists(path("c")), trains);
  EXPECT_EQ(report_after("3", checkpoints).at("weights_xxh64"), whole.at("weights_xxh64"));
}

INSTANTIATE_TEST_SUITE_P(All, EveryExample, ::testing::ValuesIn(examples()),
                         [](const auto& example) { return example.param; });

std::vector<std::string> examples_with_fit() {
  std::vector<std::string> all = examples();
  std::erase_if(all, [](const std::string& name) { return kOwnLoops.contains(name); });
  return all;
}

INSTANTIATE_TEST_SUITE_P(All, EveryExampleWithFit, ::testing::ValuesIn(examples_with_fit()),
                         [](const auto& example) { return example.param; });

TEST(ExampleWithALoopOfItsOwn, RefusesOptionsOfFit) {
  for (const std::vector<std::string>& options :
       {Arguments{"--shard-optimizer"}, Arguments{"--compress-transfer"}, Arguments{"--nan-policy", "skip"},
        Arguments{"--checkpoint-dir", "c"}}) {
    Arguments arguments{STRATA_BIN_DIR "/tree_rnn", "--max-steps", "1"};
    arguments.insert(arguments.end(), options.begin(), options.end());
    const Outcome outcome = run_process({arguments});
    EXPECT_EQ(outcome.status, 1);
    EXPECT_EQ(outcome.err,
              options[0] + ": expected a program that trains with fit; this one has a training loop of its own\n");
  }
}

}  // namespace
}  // namespace strata::testing
