// SPDX-License-Identifier: Apache-2.0
// The options for checkpoints that examples share, and what signals do to them.
#include <sched.h>

#include <algorithm>
#include <chrono>
#include <filesystem>

#include "tests/programs/mnist_mlp.h"

namespace strata::testing {
namespace {

std::string hash(const nlohmann::json& report) { return report.at("weights_xxh64"); }

class CheckpointOptions : public MnistMlpTest {
 protected:
  /// 13 steps an epoch.
  nlohmann::json run(int ranks, const std::string& steps, const Arguments& more) const {
    Arguments options{"--epochs", "3", "--blocks", "4", "--max-steps", steps};
    options.insert(options.end(), more.begin(), more.end());
    return report(ranks, options);
  }
  Arguments checkpoints(const Arguments& more = {}) const {
    Arguments options{"--checkpoint-dir", path("c"), "--checkpoint-every", "5"};
    options.insert(options.end(), more.begin(), more.end());
    return options;
  }
  /// In order.
  std::vector<std::string> kept() const {
    std::vector<std::string> names;
    for (const auto& entry : std::filesystem::directory_iterator(path("c"))) names.push_back(entry.path().filename());
    std::sort(names.begin(), names.end());
    return names;
  }
};

TEST_F(CheckpointOptions, GoOnWhereTheRunStood) {
  const int most = have_mpi() ? 3 : 1;
  const auto whole = run(1, "0", {});
  const auto some = run(most, "18", checkpoints({"--keep", "3"}));
  EXPECT_NE(hash(some), hash(whole));
  EXPECT_EQ(kept(), (std::vector<std::string>{"step-00000010", "step-00000015", "step-00000018"}));
  const auto rest = run(1, "0", checkpoints());
  EXPECT_EQ(hash(rest), hash(whole));
  EXPECT_EQ(rest.at("history"), whole.at("history"));
  EXPECT_EQ(rest.at("steps"), whole.at("steps"));
  EXPECT_EQ(whole.at("resumed_steps"), 0);
  EXPECT_EQ(rest.at("resumed_steps"), 18);
  EXPECT_EQ(hash(run(1, "0", checkpoints({"--resume", "35"}))), hash(whole));
  EXPECT_EQ(hash(run(1, "0", checkpoints({"--resume", "never", "--seed", "4"}))), hash(run(1, "0", {"--seed", "4"})));
}

TEST_F(CheckpointOptions, ARunThatContinuesSaysSo) {
  const auto output = [&](const std::string& steps) {
    Arguments options{"--epochs", "3", "--max-steps", steps};
    const Arguments more = checkpoints();
    options.insert(options.end(), more.begin(), more.end());
    const Outcome outcome = alone(options);
    EXPECT_EQ(outcome.status, 0) << outcome.text();
    return outcome.out;
  };
  EXPECT_EQ(output("18").find("Continue"), std::string::npos);
  EXPECT_PRED_FORMAT2(::testing::IsSubstring, "Continue after 18 steps, at step 6 of epoch 2\n", output("0"));
  EXPECT_PRED_FORMAT2(::testing::IsSubstring, "Nothing is left to do after 39 steps\n", output("0"));
}

TEST_F(CheckpointOptions, ReportsSayWhereTheyComeFrom) {
  const auto provenance = run(1, "2", {}).at("provenance");
  EXPECT_NE(provenance.at("instruction_set").get<std::string>().find("oneDNN"), std::string::npos);
  EXPECT_EQ(provenance.at("ranks").size(), 1u);
  EXPECT_EQ(provenance.at("ranks")[0].at("threads"), 1);
  EXPECT_NE(provenance.at("command_line")[0].get<std::string>().find("mnist_mlp"), std::string::npos);
  EXPECT_FALSE(provenance.at("strata").get<std::string>().empty());
  const std::string hdf5 = provenance.at("libraries").value("HDF5", "");
  EXPECT_EQ(std::count(hdf5.begin(), hdf5.end(), '.'), 2) << hdf5;
  EXPECT_FALSE(provenance.at("libraries").contains("MPI")) << "not used";
  if (have_mpi()) {
    const auto libraries = run(2, "2", {}).at("provenance").at("libraries");
    EXPECT_PRED_FORMAT2(::testing::IsSubstring, "MPI", libraries.value("MPI", ""));
  }
  EXPECT_FALSE(provenance.at("compiler").get<std::string>().empty());
  EXPECT_FALSE(provenance.at("ranks")[0].at("host").get<std::string>().empty());
  EXPECT_FALSE(provenance.at("ranks")[0].at("processors").get<std::string>().empty());
}

/// The first processors that this process may use.
std::vector<int> own_processors() {
  cpu_set_t set;
  CPU_ZERO(&set);
  EXPECT_EQ(sched_getaffinity(0, sizeof(set), &set), 0);
  std::vector<int> own;
  for (int i = 0; i < CPU_SETSIZE; ++i) {
    if (CPU_ISSET(i, &set)) own.push_back(i);
  }
  return own;
}

TEST_F(CheckpointOptions, ThreadsOfARankThatShareACoreAreWarnedOf) {
  const std::vector<int> processors = own_processors();
  const auto errors = [&](std::size_t count, const std::map<std::string, std::string>& environment) {
    std::string list;
    for (std::size_t i = 0; i < count; ++i) list += (i > 0 ? "," : "") + std::to_string(processors[i]);
    const Outcome outcome =
        run_process({{"/usr/bin/env", "taskset", "-c", list, STRATA_MNIST_MLP, "--data", path(""), "--epochs", "1",
                      "--verbose", "0", "--checkpoint-dir", path("c"), "--resume", "never"},
                     environment});
    EXPECT_EQ(outcome.status, 0) << outcome.text();
    return outcome.err;
  };
  const std::string first = std::to_string(processors[0]);
  EXPECT_PRED_FORMAT2(::testing::IsSubstring, " has 2 threads for 1 processor (" + first + "): bind it to as many as",
                      errors(1, {{"OMP_NUM_THREADS", "2"}}));
  EXPECT_EQ(errors(1, {{"OMP_NUM_THREADS", "1"}}), "");
  if (processors.size() < 2) return;
  // Each thread then has one of the two.
  EXPECT_EQ(errors(2, {{"OMP_NUM_THREADS", "2"}, {"OMP_PROC_BIND", "true"}}), "");
}

TEST_F(CheckpointOptions, WrongOnesAreRefused) {
  const auto refuses = [&](const Arguments& options, const std::string& what) {
    const Outcome outcome = alone(options);
    EXPECT_EQ(outcome.status, 1);
    EXPECT_PRED_FORMAT2(::testing::IsSubstring, what, outcome.err);
  };
  refuses({"--checkpoint-every", "5"}, "--checkpoint-every requires --checkpoint-dir");
  refuses(checkpoints({"--resume", "soon"}), "expected resume to be \"auto\", \"never\" or a step, received \"soon\"");
  refuses(checkpoints({"--keep", "0"}), "expected a whole number from 1");
  refuses(checkpoints({"--resume", "7"}), "expected resume to be one of the steps [], received 7");
  run(1, "6", checkpoints());
  refuses(checkpoints({"--batch-size", "50"}), "had batch_size = 64, this one has 50");
}

/// timeout(1) sends the signal; the run would take for ever.
TEST_F(CheckpointOptions, ASignalMakesTheRunSaveAndExitWith85) {
  for (const char* signal : {"TERM", "INT", "USR1"}) {
    SCOPED_TRACE(signal);
    std::filesystem::remove_all(path("c"));
    const Outcome told =
        run_process({{"/usr/bin/env", "timeout", "--preserve-status", "-s", signal, "2", STRATA_MNIST_MLP, "--data",
                      path(""), "--epochs", "10000000", "--blocks", "4", "--verbose", "0", "--checkpoint-dir",
                      path("c"), "--checkpoint-every", "1000000000"},
                     {{"OMP_NUM_THREADS", "1"}}});
    EXPECT_EQ(told.status, 85) << told.text();
    EXPECT_PRED_FORMAT2(::testing::IsSubstring, "Told to stop, training has saved step ", told.err);
    ASSERT_EQ(kept().size(), 1u);
    // It goes on as a run would that was not disturbed.
    const std::string steps = std::to_string(std::stol(kept()[0].substr(5)) + 3);
    const auto all = [&](const Arguments& more) {
      Arguments options{"--epochs", "10000000", "--blocks", "4", "--max-steps", steps};
      options.insert(options.end(), more.begin(), more.end());
      return hash(report(1, options));
    };
    EXPECT_EQ(all(checkpoints()), all({}));
  }
}

/// SIGTERM after two seconds, SIGKILL four seconds later, as a batch system does: training goes on for most of them. In
/// the foreground timeout(1) sends the signal once; twice means to stop at once.
TEST_F(CheckpointOptions, SaveBeforeUsesTheTimeThatIsLeft) {
  const auto start = std::chrono::steady_clock::now();
  const Outcome told = run_process({{"/usr/bin/env",
                                     "timeout",
                                     "--foreground",
                                     "--preserve-status",
                                     "-s",
                                     "TERM",
                                     "-k",
                                     "4",
                                     "2",
                                     STRATA_MNIST_MLP,
                                     "--data",
                                     path(""),
                                     "--epochs",
                                     "10000000",
                                     "--verbose",
                                     "0",
                                     "--checkpoint-dir",
                                     path("c"),
                                     "--checkpoint-every",
                                     "20",
                                     "--save-before",
                                     "4"},
                                    {{"OMP_NUM_THREADS", "1"}}});
  const std::chrono::duration<double> seconds = std::chrono::steady_clock::now() - start;
  EXPECT_EQ(told.status, 85) << told.text();
  EXPECT_GT(seconds.count(), 3.5) << "it could have trained until shortly before the end";
  EXPECT_PRED_FORMAT2(::testing::IsSubstring, "Told to stop, training has saved step ", told.err);
}

}  // namespace
}  // namespace strata::testing
