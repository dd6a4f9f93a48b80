// SPDX-License-Identifier: Apache-2.0
// Times training steps with 8 blocks against those with one block a rank, interleaved in one run, for several models.
// Verifies that every one of them learns. Usage: blocks_step [--rounds N] [--blocks V] [--models NAME...] [--json
// FILE]; for several ranks: mpirun -np 2 blocks_step
#include <fmt/format.h>
#include <omp.h>
#include <strata/strata.h>

#include <cstdio>

#include "support/driver.h"
#include "support/statistics.h"
#include "support/workloads.h"

using namespace strata;
using benchmarks::median;
using benchmarks::Workload;

namespace {

struct Options {
  int rounds = 9;
  Dim blocks = 8;
  Dim batch = 0;  // 0 = each model's own
  std::vector<std::string> models = benchmarks::workload_names();
};

nlohmann::ordered_json measure(const Workload& workload, const Options& options) {
  const int rank = world()->rank(), ranks = world()->size();
  const auto few = workload.prepare(ranks), many = workload.prepare(options.blocks);
  few->run();  // warms up
  many->run();
  const double first_loss = many->loss();
  std::vector<double> few_ms, many_ms, ratios;
  for (int round = 0; round < options.rounds; ++round) {
    few_ms.push_back(few->run());
    many_ms.push_back(many->run());
    ratios.push_back(many_ms.back() / few_ms.back());
  }
  if (!(many->loss() < first_loss)) {
    throw InternalError(fmt::format("{}: the loss did not fall ({} to {})", workload.name, first_loss, many->loss()));
  }
  if (rank == 0) {
    fmt::print("{:<12}{:>6}{:>12.3f} ms{:>12.3f} ms{:>8.2f}\n", workload.name, workload.batch, median(few_ms),
               median(many_ms), median(ratios));
    std::fflush(stdout);
  }
  return {{"batch", workload.batch},
          {"block_a_rank_ms", median(few_ms)},
          {"blocks_ms", median(many_ms)},
          {"ratio", median(ratios)}};
}

nlohmann::ordered_json run(const Options& options) {
  omp_set_num_threads(1);
  const auto communicator = world();
  if (communicator->rank() == 0) {
    fmt::print("{:<12}{:>6}{:>15}{:>15}{:>8}\n", "", "batch", fmt::format("{} blocks", communicator->size()),
               fmt::format("{} blocks", options.blocks), "ratio");
  }
  nlohmann::ordered_json json{{"ranks", communicator->size()}, {"blocks", options.blocks}};
  for (const std::string& name : options.models) {
    const Workload workload = benchmarks::make_workload(name);
    json[name] = measure(options.batch == 0 ? workload : benchmarks::make_workload(name, options.batch), options);
  }
  return communicator->rank() == 0 ? json : nullptr;
}

}  // namespace

int main(int argc, char** argv) {
  Options options;
  const auto add_options = [&](CLI::App& app) {
    app.add_option("--rounds", options.rounds, "Interleaved rounds; medians are taken over them")
        ->capture_default_str();
    app.add_option("--blocks", options.blocks, "Blocks of the one side; the other has one a rank")
        ->capture_default_str();
    app.add_option("--batch", options.batch, "Samples; 0 is each model's own number")->capture_default_str();
    app.add_option("--models", options.models, "Which models")->capture_default_str();
  };
  return benchmarks::drive(
      argc, argv,
      {"blocks_step", "Times training steps with more blocks than ranks.", add_options, [&] { return run(options); }});
}
