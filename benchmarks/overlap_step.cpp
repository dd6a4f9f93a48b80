// SPDX-License-Identifier: Apache-2.0
// How much of the communication of a training step hides behind its computation. Times, interleaved in one run: the
// computation of a rank without the others, the communication alone, a training step of all ranks, and such a step
// whose sums begin only when they are waited for. Verifies first that both steps end in equal weights. On several
// ranks:
//     mpirun -np 2 overlap_step [--layers N] [--width N] [--batch N] [--steps N] [--rounds N] [--json FILE]
#include <fmt/format.h>
#include <strata/strata.h>

#include <cstdio>

#include "core/program/forwarding_communicator.h"
#include "support/driver.h"
#include "support/statistics.h"

using namespace strata;

namespace {

using benchmarks::median;

struct Options {
  Dim layers = 12, width = 512;
  Dim batch = 1024;  // of a rank
  Dim steps = 5;     // after the first
  int rounds = 5;
};

/// A sum that begins when it is waited for.
class LateSum final : public PreparedCollective {
 public:
  explicit LateSum(std::unique_ptr<PreparedCollective> sum) : sum_(std::move(sum)) {}
  void start() override {}
  bool advance() override { return false; }
  void wait() override {
    sum_->start();
    sum_->wait();
  }

 private:
  std::unique_ptr<PreparedCollective> sum_;
};

/// Notes what is summed. `late`: and overlaps none of it.
class NotingCommunicator final : public ForwardingCommunicator {
 public:
  NotingCommunicator(Communicator& inner, bool late) : ForwardingCommunicator(inner), late_(late) {}
  std::unique_ptr<PreparedCollective> prepare_block_sum(Device& device, const BlockSumSpec& spec) override {
    sums_.push_back(spec);
    auto sum = inner().prepare_block_sum(device, spec);
    if (!late_) return sum;
    return std::make_unique<LateSum>(std::move(sum));
  }
  const std::vector<BlockSumSpec>& sums() const { return sums_; }

 private:
  bool late_;
  std::vector<BlockSumSpec> sums_;
};

/// A chain of dense layers, trained by the ranks of a communicator.
class Training {
 public:
  Training(const Options& options, std::shared_ptr<Communicator> communicator)
      : options_(options), batch_(options.batch * communicator->size()) {
    clear_session();
    set_seed(1);
    const Tensor input = Input({options.width});
    Tensor x = input;
    for (Dim i = 0; i < options.layers; ++i) x = layers::Dense(options.width, {.activation = "relu"})(x);
    model_ = std::make_unique<Model>(input, layers::Dense(10)(x));
    model_->compile({.optimizer = "sgd",
                     .loss = losses::SparseCategoricalCrossentropy({.from_logits = true}),
                     .communicator = std::move(communicator)});
    const RandomKey key{constant<std::int64_t>({1, 0, 0}, {3}), 1};
    x_ = ops::random_uniform(key, {batch_, options.width});
    y_ = ops::argmax(ops::slice(x_, {0, 0}, {None, 10}));
    x_.eval();
    y_.eval();
  }

  /// Seconds a step.
  double run() {
    const auto history = model_->fit(
        x_, y_, {.batch_size = batch_, .epochs = static_cast<int>(options_.steps) + 1, .verbose = 0, .shuffle = false});
    return history.training_seconds / static_cast<double>(history.steps - 1);
  }
  std::uint64_t hash() const { return model_->weights_hash(); }

 private:
  Options options_;
  Dim batch_;
  std::unique_ptr<Model> model_;
  Tensor x_, y_;
};

/// The sums of a step and nothing else.
class Communication {
 public:
  Communication(Communicator& communicator, const std::vector<BlockSumSpec>& sums, Dim steps)
      : communicator_(communicator), steps_(steps) {
    for (const BlockSumSpec& spec : sums) {
      const std::size_t bytes = static_cast<std::size_t>(spec.count) * size_of(spec.dtype);
      bytes_ += bytes;
      memory_.push_back(communicator.allocate(cpu_device(), bytes));
      void* const partials[] = {memory_.back()->data()};
      sums_.push_back(communicator.prepare_block_sum(cpu_device(), {spec.dtype, spec.count, spec.blocks, partials}));
    }
  }

  std::size_t bytes() const { return bytes_; }
  /// Seconds a step.
  double run() {
    communicator_.barrier();
    const auto start = std::chrono::steady_clock::now();
    for (Dim step = 0; step < steps_; ++step) {
      for (const auto& sum : sums_) sum->start();
      for (const auto& sum : sums_) sum->wait();
    }
    return std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count() /
           static_cast<double>(steps_);
  }

 private:
  Communicator& communicator_;
  Dim steps_;
  std::size_t bytes_ = 0;
  std::vector<std::shared_ptr<Storage>> memory_;
  std::vector<std::unique_ptr<PreparedCollective>> sums_;
};

/// The slowest rank's.
double slowest(Communicator& communicator, double seconds) {
  std::vector<double> all(static_cast<std::size_t>(communicator.size()));
  communicator.allgather(&seconds, all.data(), sizeof(seconds));
  return *std::max_element(all.begin(), all.end());
}

nlohmann::ordered_json report(const Options& options, int ranks, std::size_t bytes, double compute,
                              double communication, double step, double late_step) {
  const double longer = std::max(compute, communication), sum = compute + communication;
  fmt::print("{} layers of {}, {} samples a rank, {} ranks, {} bytes summed\n", options.layers, options.width,
             options.batch, ranks, bytes);
  fmt::print("  computation alone    {:9.2f} ms\n  communication alone  {:9.2f} ms\n", compute * 1e3,
             communication * 1e3);
  fmt::print("  step                 {:9.2f} ms  {:.2f} times the longer of the two\n", step * 1e3, step / longer);
  fmt::print("  without overlap      {:9.2f} ms  {:.2f} times their sum\n", late_step * 1e3, late_step / sum);
  return {{"ranks", ranks},
          {"bytes", bytes},
          {"compute_seconds", compute},
          {"communication_seconds", communication},
          {"step_seconds", step},
          {"late_step_seconds", late_step},
          {"step_over_longer", step / longer},
          {"late_step_over_sum", late_step / sum}};
}

nlohmann::ordered_json run(const Options& options) {
  const auto ranks = world();
  if (ranks->size() == 1) throw ConfigError("expected several ranks: start this with mpirun -np 2");
  const auto noting = std::make_shared<NotingCommunicator>(*ranks, false);
  Training alone(options, make_single_communicator()), together(options, noting),
      late(options, std::make_shared<NotingCommunicator>(*ranks, true));
  alone.run();
  together.run();
  late.run();
  if (together.hash() != late.hash()) throw InternalError("overlap changes the bits of training");
  Communication communication(*ranks, noting->sums(), options.steps);
  std::vector<double> times[4];
  for (int round = 0; round < options.rounds; ++round) {
    times[0].push_back(slowest(*ranks, alone.run()));
    times[1].push_back(slowest(*ranks, communication.run()));
    times[2].push_back(slowest(*ranks, together.run()));
    times[3].push_back(slowest(*ranks, late.run()));
  }
  if (ranks->rank() != 0) return nullptr;
  return report(options, ranks->size(), communication.bytes(), median(times[0]), median(times[1]), median(times[2]),
                median(times[3]));
}

}  // namespace

int main(int argc, char** argv) {
  Options options;
  const auto add_options = [&](CLI::App& app) {
    app.add_option("--layers", options.layers, "Dense layers")->capture_default_str();
    app.add_option("--width", options.width, "Units of each")->capture_default_str();
    app.add_option("--batch", options.batch, "Samples of a rank in a step")->capture_default_str();
    app.add_option("--steps", options.steps, "Steps in a round")->capture_default_str();
    app.add_option("--rounds", options.rounds, "Rounds in which all are timed; medians are taken over them");
  };
  return benchmarks::drive(argc, argv,
                           {"overlap_step", "Times steps whose communication hides behind computation.", add_options,
                            [&] { return run(options); }});
}
