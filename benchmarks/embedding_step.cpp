// SPDX-License-Identifier: Apache-2.0
// Times training steps with embeddings of several sizes, interleaved in one run: with plain gradient descent a step
// costs what its words cost, whatever the vocabulary. Verifies first that the loss falls. On several ranks: mpirun -np
// 2 embedding_step. Usage: embedding_step [--rounds N] [--epochs N] [--json FILE]
#include <fmt/format.h>
#include <strata/strata.h>

#include <array>

#include "support/driver.h"
#include "support/statistics.h"

using namespace strata;

namespace {

using benchmarks::median;

constexpr Dim kBatch = 64, kWidth = 64, kClasses = 10;
constexpr Dim kBatches = 64;  // of an epoch: together they touch most rows of a large table, which so come from memory

struct Options {
  int rounds = 15;
  int epochs = 2;  // of kBatches steps, in a round
};

/// What follows the words of a sample.
struct Network {
  std::string name;
  Dim words;
  Tensor (*body)(const Tensor& embedded);
};

/// Next to nothing: what a step does besides its rows is least.
Tensor mean_of_words(const Tensor& x) {
  return layers::Dense(64, {.activation = "relu"})(layers::GlobalAveragePooling1D()(x));
}

/// The network of Keras' example of text classification, with a quarter of its filters.
Tensor convolutions(const Tensor& x) {
  Tensor h = layers::Conv1D(32, 7, {.strides = 3, .padding = "same", .activation = "relu"})(x);
  h = layers::Conv1D(32, 7, {.strides = 3, .padding = "same", .activation = "relu"})(h);
  return layers::Dense(32, {.activation = "relu"})(layers::GlobalMaxPooling1D()(h));
}

/// A model with an embedding of a certain size, and its data.
class Contestant {
 public:
  Contestant(const Network& network, Dim vocabulary) : vocabulary_(vocabulary) {
    const RandomKey key{constant<std::int64_t>({vocabulary, 0, 0}, {3}), 1};
    const auto size = static_cast<double>(vocabulary);
    const Tensor u = ops::random_uniform(key, {kBatch * kBatches, network.words}, 0.0, size);
    x_ = ops::cast(ops::floor(u), Dtype::int32);
    y_ = ops::cast(ops::floor(ops::mean(u, {1}) * (kClasses / size)), Dtype::int64);
    x_.eval();
    y_.eval();
    auto words = Input({network.words}, {.dtype = Dtype::int32});
    const Tensor body = network.body(layers::Embedding(vocabulary, kWidth)(words));
    model_ = std::make_unique<Model>(words, layers::Dense(kClasses)(body));
    model_->compile({.optimizer = "sgd", .loss = losses::SparseCategoricalCrossentropy({.from_logits = true})});
  }

  void verify() {
    step_ms(1);
    const double first = loss_;
    step_ms(2);
    if (!(loss_ < first)) throw std::runtime_error(fmt::format("{}: loss {} after {}", name(), loss_, first));
  }
  void run(int epochs) { times_.push_back(step_ms(epochs)); }

  double milliseconds() const { return median(times_); }
  /// The median of the rounds' ratios.
  double over(const Contestant& other) const {
    std::vector<double> ratios;
    for (std::size_t i = 0; i < times_.size(); ++i) ratios.push_back(times_[i] / other.times_[i]);
    return median(ratios);
  }
  std::string name() const { return fmt::format("{} x {}", vocabulary_, kWidth); }

 private:
  double step_ms(int epochs) {
    const History history = model_->fit(x_, y_, {.batch_size = kBatch, .epochs = epochs, .verbose = 0});
    loss_ = history.at("loss").back();
    return history.training_seconds / static_cast<double>(history.steps - 1) * 1e3;
  }

  Dim vocabulary_;
  Tensor x_, y_;
  std::unique_ptr<Model> model_;
  double loss_ = 0.0;
  std::vector<double> times_;
};

nlohmann::ordered_json measure(const Network& network, const Options& options, bool prints) {
  Contestant small(network, 10'000), large(network, 1'000'000);
  const std::array<Contestant*, 2> all{&small, &large};
  for (Contestant* c : all) c->verify();
  for (int round = 0; round < options.rounds; ++round) {
    for (Contestant* c : all) c->run(options.epochs);
  }
  nlohmann::ordered_json json{{"network", network.name}, {"words", network.words}, {"cases", {}}};
  std::string text = fmt::format("{}, {} words a sample\n", network.name, network.words);
  for (const Contestant* c : all) {
    text += fmt::format("  {:<24}{:>9.4f} ms a step\n", c->name(), c->milliseconds());
    json["cases"].push_back({{"case", c->name()}, {"step_ms", c->milliseconds()}});
  }
  json["large_over_small"] = large.over(small);
  if (prints) fmt::print("{}  the large table costs {:.2f} times the small\n", text, large.over(small));
  return json;
}

nlohmann::ordered_json run(const Options& options) {
  const auto ranks = world();
  nlohmann::ordered_json json{{"ranks", ranks->size()}, {"networks", {}}};
  const std::vector<Network> networks{{"convolutions", 64, convolutions},
                                      {"mean of words", 1, mean_of_words},
                                      {"mean of words", 8, mean_of_words},
                                      {"mean of words", 32, mean_of_words}};
  for (const Network& network : networks) json["networks"].push_back(measure(network, options, ranks->rank() == 0));
  return ranks->rank() == 0 ? json : nlohmann::ordered_json();
}

}  // namespace

int main(int argc, char** argv) {
  Options options;
  const auto add_options = [&](CLI::App& app) {
    app.add_option("--rounds", options.rounds, "Rounds in which all are timed; medians are taken over them");
    app.add_option("--epochs", options.epochs, "Epochs of 64 steps in a round");
  };
  return benchmarks::drive(argc, argv, {"embedding_step", "Times training steps with embeddings.", add_options, [&] {
                                          return run(options);
                                        }});
}
