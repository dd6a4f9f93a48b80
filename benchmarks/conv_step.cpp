// SPDX-License-Identifier: Apache-2.0
// Times one training step of two convolution networks against the sum of the fastest kernels for the same shapes plus a
// vectorised update, interleaved in one run: LeNet (batch 64), and two 3x3 convolutions of 64 channels on 32x32 images
// (batch 32). Verifies first that a step learns. Usage: conv_step [--rounds N] [--steps N] [--json FILE]
#include <fmt/format.h>
#include <omp.h>
#include <strata/strata.h>

#include "support/driver.h"
#include "support/kernel_bound.h"
#include "support/statistics.h"
#include "support/training_step.h"

using namespace strata;
using benchmarks::KernelBound;
using benchmarks::median;
using benchmarks::TrainingStep;

namespace {

struct Options {
  int rounds = 9;
  Dim steps = 30;
};

struct Network {
  std::string name;
  Model model;
  Shape input;
  int batch;
  std::function<void(KernelBound&)> add_kernels;
};

/// examples/lenet.cpp.
Network lenet() {
  auto inputs = Input({28, 28, 1});
  auto x = layers::Conv2D(20, 5, {.activation = "relu"})(inputs);
  x = layers::MaxPooling2D(2)(x);
  x = layers::Conv2D(50, 5, {.activation = "relu"})(x);
  x = layers::MaxPooling2D(2)(x);
  x = layers::Flatten()(x);
  x = layers::Dense(500, {.activation = "relu"})(x);
  const Model model(inputs, layers::Dense(10)(x), "lenet");
  return {"lenet", model, {28, 28, 1}, 64, [parameters = model.count_params()](KernelBound& bound) {
            bound.add_convolution("convolution 1", {64, 28, 28, 1, 5, 1, 0}, 20, true);
            bound.add_max_pool("maxima 1", {64, 24, 24, 20, 2, 2, 0});
            bound.add_convolution("convolution 2", {64, 12, 12, 20, 5, 1, 0}, 50, false);
            bound.add_max_pool("maxima 2", {64, 8, 8, 50, 2, 2, 0});
            bound.add_dense("dense 1", 64, 800, 500, false);
            bound.add_dense("dense 2", 64, 500, 10, false);
            bound.add_update(static_cast<std::size_t>(parameters));
          }};
}

Network convolutions() {
  auto inputs = Input({32, 32, 64});
  auto x = layers::Conv2D(64, 3, {.padding = "same", .activation = "relu"})(inputs);
  x = layers::Conv2D(64, 3, {.padding = "same", .activation = "relu"})(x);
  x = layers::GlobalAveragePooling2D()(x);
  const Model model(inputs, layers::Dense(10)(x), "convolutions");
  return {"convolutions", model, {32, 32, 64}, 32, [parameters = model.count_params()](KernelBound& bound) {
            const benchmarks::Windows windows{32, 32, 32, 64, 3, 1, 1};
            bound.add_convolution("convolution 1", windows, 64, true);
            bound.add_convolution("convolution 2", windows, 64, false);
            bound.add_dense("dense", 32, 64, 10, false);
            bound.add_update(static_cast<std::size_t>(parameters));
          }};
}

nlohmann::ordered_json measure(const Network& network, const Options& options) {
  TrainingStep step(network.model, network.input, network.batch, options.steps);
  KernelBound bound;
  network.add_kernels(bound);
  step.run();  // warms up
  const double first_loss = step.loss();
  std::vector<double> ours, kernels, ratios;
  for (int round = 0; round < options.rounds; ++round) {
    ours.push_back(step.run());
    kernels.push_back(bound.run(static_cast<int>(options.steps)));
    ratios.push_back(ours.back() / kernels.back());
  }
  if (!(step.loss() < first_loss)) {
    throw std::runtime_error(
        fmt::format("{}: the loss did not fall ({} to {})", network.name, first_loss, step.loss()));
  }
  fmt::print("{}\n{}", network.name, bound.table());
  fmt::print("{:<44}{:>9.4f} ms\n", "sum of the fastest kernels", median(kernels));
  fmt::print("{:<44}{:>9.4f} ms {:.2f} times the kernels\n\n", "Strata, one training step", median(ours),
             median(ratios));
  return {{"strata_ms", median(ours)}, {"kernels_ms", median(kernels)}, {"strata_over_kernels", median(ratios)}};
}

nlohmann::ordered_json run(const Options& options) {
  omp_set_num_threads(1);
  nlohmann::ordered_json json{{"threads", 1}};
  for (const Network& network : {lenet(), convolutions()}) json[network.name] = measure(network, options);
  return json;
}

}  // namespace

int main(int argc, char** argv) {
  Options options;
  const auto add_options = [&](CLI::App& app) {
    app.add_option("--rounds", options.rounds, "Interleaved rounds; medians are taken over them");
    app.add_option("--steps", options.steps, "Steps a round");
  };
  return benchmarks::drive(
      argc, argv,
      {"conv_step", "Times the training steps of convolution networks.", add_options, [&] { return run(options); }});
}
