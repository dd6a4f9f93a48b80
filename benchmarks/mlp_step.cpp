// SPDX-License-Identifier: Apache-2.0
// Times one training step of the guide's MLP (784-64-64-10, RMSprop, batch 64) against two measures, interleaved in one
// run: the sum of the fastest kernels for the same shapes plus a vectorised update, and PyTorch eager (torch_mlp.py).
// Verifies first that a step learns. Usage: mlp_step [--rounds N] [--steps N] [--torch PYTHON SCRIPT] [--json FILE]
#include <fmt/format.h>
#include <omp.h>
#include <strata/strata.h>

#include <CLI/CLI.hpp>
#include <cstdio>
#include <fstream>
#include <nlohmann/json.hpp>

#include "support/child.h"
#include "support/kernel_bound.h"

using namespace strata;

namespace {

using benchmarks::median;

const std::vector<benchmarks::Product> kProducts = {{"forward 1", 64, 64, 784},
                                                    {"forward 2", 64, 64, 64},
                                                    {"forward 3", 64, 10, 64},
                                                    {"input gradient 3", 64, 64, 10, false, true},
                                                    {"input gradient 2", 64, 64, 64, false, true},
                                                    {"weight gradient 3", 64, 10, 64, true},
                                                    {"weight gradient 2", 64, 64, 64, true},
                                                    {"weight gradient 1", 784, 64, 64, true}};
constexpr std::size_t kParameters = 55050;

/// The guide's model on made-up data that can be learnt.
class StrataStep {
 public:
  /// An epoch has `batches` batches: one stays in the cache, as PyTorch's and the kernels' do; many come from memory,
  /// gathered in a new order every epoch.
  StrataStep(Dim steps, Dim batches)
      : model_(make_model()), epochs_(static_cast<int>(std::max<Dim>(1, steps / batches))) {
    const RandomKey key{constant<std::int64_t>({1, 0, 0}, {3}), 1};
    x_ = ops::random_uniform(key, {64 * batches, 784});
    const Tensor rule = ops::random_normal({key.state, 2}, {784, 10});
    y_ = ops::argmax(ops::matmul(x_ - 0.5, rule));
    x_.eval();
    y_.eval();
    model_.compile({.optimizer = optimizers::RMSprop(),
                    .loss = losses::SparseCategoricalCrossentropy({.from_logits = true}),
                    .metrics = {"accuracy"}});
  }

  /// Milliseconds a step, with all that fit does between steps.
  double run() {
    const History history = model_.fit(x_, y_, {.batch_size = 64, .epochs = epochs_, .verbose = 0});
    loss_ = history.at("loss").back();
    return history.training_seconds / static_cast<double>(history.steps - 1) * 1e3;
  }
  double loss() const { return loss_; }

 private:
  static Model make_model() {
    auto inputs = Input({784});
    auto x = layers::Dense(64, {.activation = "relu"})(inputs);
    x = layers::Dense(64, {.activation = "relu"})(x);
    return Model(inputs, layers::Dense(10)(x), "mnist_model");
  }

  Model model_;
  int epochs_;
  Tensor x_, y_;
  double loss_ = 0.0;
};

constexpr Dim kBatchesInMemory = 300;  // 60 MB of samples: more than caches hold

struct Options {
  int rounds = 15;
  Dim steps = 300;
  std::vector<std::string> torch;
  std::string json;
};

/// Denormal numbers slow PyTorch down and not Strata, which flushes them: that would be no comparison.
void require_normal_numbers(const std::string& info) {
  const auto json = nlohmann::json::parse(info);
  if (json.at("denormal_slots") != 0) throw std::runtime_error("PyTorch computed with denormal numbers: " + info);
}

int measure(const Options& options) {
  omp_set_num_threads(1);
  StrataStep strata_step(options.steps, 1);
  StrataStep streamed_step(options.steps, kBatchesInMemory);
  benchmarks::KernelBound bound(kProducts, kParameters);
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
    fmt::print(stderr, "mlp_step: the loss did not fall ({} to {})\n", first_loss, strata_step.loss());
    return 1;
  }
  if (torch) require_normal_numbers(torch->ask("info"));
  fmt::print("{}", bound.table());
  fmt::print("{:<34}{:>10.4f} ms\n", "sum of the fastest kernels", median(kernels));
  fmt::print("{:<34}{:>10.4f} ms   {:.2f} times the kernels (target: at most 1.30)\n", "Strata, one training step",
             median(ours), median(to_kernels));
  fmt::print("{:<34}{:>10.4f} ms   {:.2f} times the kernels\n", "the same on 60 MB in random order", median(streamed),
             median(streamed_to_kernels));
  nlohmann::ordered_json json{{"benchmark", "mlp_step"},
                              {"threads", 1},
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
  fmt::print("{}\n", json.dump());
  if (!options.json.empty()) std::ofstream(options.json) << json.dump(2) << "\n";
  return 0;
}

}  // namespace

int main(int argc, char** argv) {
  Options options;
  CLI::App app("Times the training step of the guide's MLP.");
  app.add_option("--rounds", options.rounds, "Interleaved rounds; medians are taken over them");
  app.add_option("--steps", options.steps, "Steps a round");
  app.add_option("--torch", options.torch, "The Python of an environment with PyTorch, and the path of torch_mlp.py")
      ->expected(2);
  app.add_option("--json", options.json, "Also write the result to this file");
  CLI11_PARSE(app, argc, argv);
  try {
    return measure(options);
  } catch (const std::exception& e) {
    fmt::print(stderr, "mlp_step: {}\n", e.what());
    return 1;
  }
}
