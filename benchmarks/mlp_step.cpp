// SPDX-License-Identifier: Apache-2.0
// Times one training step of the guide's MLP (784-64-64-10, RMSprop, batch 64) against two measures, interleaved in one
// run: the sum of the fastest kernels for the same shapes plus a vectorised update, and PyTorch eager (torch_mlp.py).
// Verifies first that a step learns. Usage: mlp_step [--rounds N] [--steps N] [--torch PYTHON SCRIPT] [--json FILE]
#include <fmt/format.h>
#include <omp.h>
#include <strata/strata.h>

#include <algorithm>

#include "support/child.h"
#include "support/driver.h"
#include "support/kernel_bound.h"
#include "support/statistics.h"
#include "support/training_step.h"

using namespace strata;

namespace {

using benchmarks::median;
using benchmarks::TrainingStep;

Model guide_model() {
  auto inputs = Input({784});
  auto x = layers::Dense(64, {.activation = "relu"})(inputs);
  x = layers::Dense(64, {.activation = "relu"})(x);
  return Model(inputs, layers::Dense(10)(x), "mnist_model");
}

void add_kernels(benchmarks::KernelBound& bound) {
  bound.add_dense("dense 1", 64, 784, 64, true);
  bound.add_dense("dense 2", 64, 64, 64, false);
  bound.add_dense("dense 3", 64, 64, 10, false);
  bound.add_update(55050);
}

constexpr Dim kBatchesInMemory = 300;  // 60 MB of samples: more than caches hold

struct Options {
  int rounds = 15;
  Dim steps = 300;
  std::vector<std::string> torch;
};

/// Denormal numbers slow PyTorch down and not Strata, which flushes them: that would be no comparison.
void require_normal_numbers(const std::string& info) {
  const auto json = nlohmann::json::parse(info);
  if (json.at("denormal_slots") != 0) throw std::runtime_error("PyTorch computed with denormal numbers: " + info);
}

nlohmann::ordered_json run(const Options& options) {
  omp_set_num_threads(1);
  TrainingStep strata_step(guide_model(), {784}, 64, options.steps);
  TrainingStep streamed_step(guide_model(), {784}, 64, options.steps, kBatchesInMemory);
  benchmarks::KernelBound bound;
  add_kernels(bound);
  std::unique_ptr<benchmarks::Child> torch;
  if (!options.torch.empty()) {
    torch = std::make_unique<benchmarks::Child>(options.torch);
    torch->expect("ready");
  }
  strata_step.run();  // warms up
  streamed_step.run();
  const double first_loss = strata_step.loss();
  std::vector<double> ours, streamed, kernels, theirs, to_kernels, streamed_to_kernels, to_torch;
  for (int round = 0; round < options.rounds; ++round) {
    ours.push_back(strata_step.run());
    kernels.push_back(bound.run(static_cast<int>(options.steps)));
    streamed.push_back(streamed_step.run());
    to_kernels.push_back(ours.back() / kernels.back());
    streamed_to_kernels.push_back(streamed.back() / kernels.back());
    if (!torch) continue;
    theirs.push_back(std::stod(torch->ask(fmt::format("run {}", options.steps))) / static_cast<double>(options.steps) *
                     1e3);
    to_torch.push_back(theirs.back() / ours.back());
  }
  if (!(strata_step.loss() < first_loss)) {
    throw std::runtime_error(fmt::format("the loss did not fall ({} to {})", first_loss, strata_step.loss()));
  }
  if (torch) require_normal_numbers(torch->ask("info"));
  fmt::print("{}", bound.table());
  fmt::print("{:<34}{:>10.4f} ms\n", "sum of the fastest kernels", median(kernels));
  fmt::print("{:<34}{:>10.4f} ms   {:.2f} times the kernels (target: at most 1.30)\n", "Strata, one training step",
             median(ours), median(to_kernels));
  fmt::print("{:<34}{:>10.4f} ms   {:.2f} times the kernels\n", "the same on 60 MB in random order", median(streamed),
             median(streamed_to_kernels));
  nlohmann::ordered_json json{{"threads", 1},
                              {"strata_ms", median(ours)},
                              {"kernels_ms", median(kernels)},
                              {"strata_over_kernels", median(to_kernels)},
                              {"streamed_ms", median(streamed)},
                              {"streamed_over_kernels", median(streamed_to_kernels)}};
  if (torch) {
    fmt::print("{:<34}{:>10.4f} ms   Strata's rate is {:.2f} times PyTorch's (target: at least 1.50)\n",
               "PyTorch eager, one training step", median(theirs), median(to_torch));
    json["torch_ms"] = median(theirs);
    json["strata_rate_over_torch"] = median(to_torch);
  }
  return json;
}

}  // namespace

int main(int argc, char** argv) {
  Options options;
  const auto add_options = [&](CLI::App& app) {
    app.add_option("--rounds", options.rounds, "Interleaved rounds; medians are taken over them");
    app.add_option("--steps", options.steps, "Steps a round");
    app.add_option("--torch", options.torch, "The Python of an environment with PyTorch, and the path of torch_mlp.py")
        ->expected(2);
  };
  return benchmarks::drive(argc, argv, {"mlp_step", "Times the training step of the guide's MLP.", add_options, [&] {
                                          return run(options);
                                        }});
}
