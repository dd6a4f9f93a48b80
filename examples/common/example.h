// SPDX-License-Identifier: Apache-2.0
// What all example programs share: command-line options, the JSON report, and how errors end a program on many ranks.
#pragma once

#include <strata/strata.h>

#include <chrono>
#include <functional>
#include <memory>
#include <optional>
#include <string>

namespace CLI {
class App;
}

namespace strata::examples {

struct Options {
  std::string data = {};  // directory of the data set
  bool needs_data = true;
  int epochs = 5;
  Dim batch_size = 64;  // over all ranks
  Dim max_steps = 0;    // 0 = no limit
  std::uint64_t seed = 0;
  std::string optimizer = "rmsprop";
  int verbose = 1;
  std::string json = {};      // where the report goes; empty = nowhere
  std::string timeline = {};  // where the timeline goes; empty = nowhere
  bool summary_only = false;
  std::string plot = {};         // where the picture of the model goes; empty = nowhere
  Dim blocks = 0;                // 0 = one a rank
  double bucket_mb = 0;          // 0 = measured
  double deadline = 0;           // seconds; 0 = the library's
  bool shard_optimizer = false;  // each rank keeps a share of the optimizer's state
  int accumulate = 1;            // steps whose mean gradient makes one update
  NanPolicy nan_policy = NanPolicy::ignore;
  CheckpointOptions checkpoint = {};
  std::string resume = "auto";
  std::function<void(CLI::App&)> own_options = {};  // adds options that only this program has
};

/// One run of an example.
class Example {
 public:
  /// `joining` is how long it took to find the other ranks. Warns of ranks whose threads share a core. Collective.
  Example(Options options, std::shared_ptr<Communicator> world, std::chrono::duration<double> joining);

  const Options& options() const { return options_; }
  /// As --optimizer and --accumulate say.
  Optimizer optimizer() const;
  /// What fit is to do as the command line says.
  FitOptions fit_options() const;
  EvaluateOptions evaluate_options(int verbose) const;
  /// Prints a model's table, on rank 0; nothing with --verbose 0 unless --summary-only asks for nothing else. The last
  /// model is the one that --plot draws.
  void summarize(const Model& model);
  /// The same for a model whose table is printed with --summary-only alone.
  void present(const Model& model);
  /// Draws it, where --plot says.
  void draw() const;
  /// Whether the tables are all that is wanted.
  bool summary_only() const { return options_.summary_only; }
  /// Rank 0 only, as print() in the guide; nothing with --verbose 0.
  void print(const std::string& line) const;
  /// Runs `load` on every rank; the time until the last of them has its data does not count as time to the first step.
  template <class F>
  auto load(F&& load_data) {
    const auto start = std::chrono::steady_clock::now();
    auto data = load_data();
    world_->barrier();
    loading_ += std::chrono::steady_clock::now() - start;
    return data;
  }
  /// Writes the timeline, where --timeline says. Collective.
  void write_timeline();
  /// A training loop of one's own: calls step(0), step(1), ... as often as --epochs, of so many steps each, and
  /// --max-steps say. What it returns, the loss, is printed and kept every `every` steps, and after the last. Throws
  /// ConfigError for options that only fit knows: --shard-optimizer, --nan-policy, --checkpoint-dir.
  History loop(Dim steps_an_epoch, Dim every, const std::function<Tensor(Dim)>& step) const;
  /// Writes the JSON report, on rank 0: with `scores`, such as {{"test_loss", 0.1}}, and with speeds if it was trained.
  /// Checks that all ranks ended with the same weights: CommError otherwise. Collective.
  void report(const Model& model, const History& history = {}, const Logs& scores = {}) const;

 private:
  Options options_;
  std::shared_ptr<Communicator> world_;
  std::chrono::duration<double> joining_;
  Config provenance_;
  std::chrono::steady_clock::duration loading_{};
  std::optional<Model> drawn_;
  std::unique_ptr<Timeline> timeline_;
};

/// For random data: each draws other numbers, which depend on --seed alone.
RandomKey random_key();

/// Parses the options, runs `body`, and turns exceptions into one line on standard error and exit code 1 on every rank;
/// 85 (kPreemptedExitCode) when a signal ended training and it has saved.
int run(int argc, char** argv, const std::string& description, Options defaults,
        const std::function<void(Example&)>& body);

}  // namespace strata::examples
