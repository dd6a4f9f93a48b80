// SPDX-License-Identifier: Apache-2.0
// Times one training step of an LSTM and of a GRU over image rows (28 steps of 28, 128 units, Dense 10, RMSprop, batch
// 64) against the matrix products of such a step alone, by the fastest kernels, interleaved in one run: what is above
// 1 is gates, loss, data and the loop. Verifies first that a step learns.
// Usage: recurrent_step [--rounds N] [--steps N] [--json FILE]
#include <fmt/format.h>
#include <omp.h>
#include <strata/strata.h>

#include "support/driver.h"
#include "support/kernel_bound.h"
#include "support/statistics.h"

using namespace strata;

namespace {

using benchmarks::median;

constexpr int kBatch = 64, kTime = 28, kFeatures = 28, kUnits = 128, kClasses = 10;

struct Options {
  int rounds = 15;
  int steps = 50;
};

/// Adds what a step cannot do without, when a cell has so many gates. The input's projection and the gradients of
/// weights take all time steps at once.
void add_kernels(benchmarks::KernelBound& bound, int gates, std::size_t parameters) {
  const int columns = gates * kUnits, rows = kBatch * kTime;
  bound.add_product("input projection", rows, columns, kFeatures, false, false);
  bound.add_product("state", kBatch, columns, kUnits, false, false, kTime);
  bound.add_product("state gradient", kBatch, kUnits, columns, false, false, kTime);
  bound.add_product("recurrent kernel gradient", kUnits, columns, rows, true, false);
  bound.add_product("kernel gradient", kFeatures, columns, rows, true, false);
  bound.add_dense("output", kBatch, kUnits, kClasses, false);
  bound.add_update(parameters);
}

/// One kind of layer: a model on made-up data that can be learnt, and the bound of its step.
class Contest {
 public:
  Contest(std::string name, const LayerRef& recurrent, int gates)
      : name_(std::move(name)), model_(make_model(recurrent)) {
    add_kernels(bound_, gates, static_cast<std::size_t>(model_.count_params()));
    const RandomKey key{constant<std::int64_t>({1, 0, 0}, {3}), 1};
    x_ = ops::random_uniform(key, {kBatch, kTime, kFeatures});
    const Tensor rule = ops::random_normal({key.state, 2}, {kFeatures, kClasses});
    y_ = ops::argmax(ops::matmul(ops::mean(x_, {1}) - 0.5, rule));
    x_.eval();
    y_.eval();
    model_.compile(
        {.optimizer = optimizers::RMSprop(), .loss = losses::SparseCategoricalCrossentropy({.from_logits = true})});
  }

  /// Throws unless training lowers the loss.
  void verify(int steps) {
    step_ms(steps);
    const double first = loss_;
    step_ms(steps);
    if (loss_ < first) return;
    throw std::runtime_error(fmt::format("{}: the loss did not fall ({} to {})", name_, first, loss_));
  }

  void run(int steps) {
    ours_.push_back(step_ms(steps));
    products_.push_back(bound_.run(steps));
    ratios_.push_back(ours_.back() / products_.back());
  }

  nlohmann::ordered_json report() const {
    fmt::print("{}{:<40}{:>10.4f} ms\n{:<40}{:>10.4f} ms   {:.2f} times the products\n\n", bound_.table(),
               name_ + ": the fastest kernels", median(products_), name_ + ": Strata, one training step", median(ours_),
               median(ratios_));
    return {{"strata_ms", median(ours_)}, {"products_ms", median(products_)}, {"ratio", median(ratios_)}};
  }

 private:
  static Model make_model(const LayerRef& recurrent) {
    auto inputs = Input({kTime, kFeatures});
    return Model(inputs, layers::Dense(kClasses)(recurrent(inputs)));
  }

  double step_ms(int steps) {
    const History history = model_.fit(x_, y_, {.batch_size = kBatch, .epochs = steps, .verbose = 0});
    loss_ = history.at("loss").back();
    return history.training_seconds / static_cast<double>(history.steps - 1) * 1e3;
  }

  std::string name_;
  Model model_;
  benchmarks::KernelBound bound_;
  Tensor x_, y_;
  double loss_ = 0.0;
  std::vector<double> ours_, products_, ratios_;
};

nlohmann::ordered_json run(const Options& options) {
  omp_set_num_threads(1);
  Contest lstm("LSTM", layers::LSTM(kUnits), 4);
  Contest gru("GRU", layers::GRU(kUnits), 3);
  lstm.verify(options.steps);
  gru.verify(options.steps);
  for (int round = 0; round < options.rounds; ++round) {
    lstm.run(options.steps);
    gru.run(options.steps);
  }
  return {{"threads", 1}, {"lstm", lstm.report()}, {"gru", gru.report()}};
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
      {"recurrent_step", "Times training steps of an LSTM and a GRU.", add_options, [&] { return run(options); }});
}
