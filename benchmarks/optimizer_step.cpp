// SPDX-License-Identifier: Apache-2.0
// Times the update of all variables by an optimizer against a bare loop over the same arrays, interleaved in one run.
// Verifies first that both compute the same. Usage: optimizer_step [--rounds N] [--threads N] [--json FILE]
#include <fmt/format.h>
#include <omp.h>

#include <algorithm>
#include <chrono>
#include <cmath>

#include "core/base/simd.h"
#include "core/ops/ops.h"
#include "core/training/optimizer_update.h"
#include "support/driver.h"
#include "support/statistics.h"

using namespace strata;

namespace {

using benchmarks::median;

constexpr int kMostArrays = 5;  // variable, gradient, slots
constexpr float kRate = 0x1p-8F;

/// Arrays of a bare loop over [first, last), and the number of the step, 1 the first.
struct LoopArgs {
  float* arrays[kMostArrays];
  Dim first, last;
  int step;
};
using Loop = void (*)(const LoopArgs&);

STRATA_SIMD_CLONES void momentum_loop(const LoopArgs& a) {
  float *w = a.arrays[0], *g = a.arrays[1], *v = a.arrays[2];
#pragma GCC ivdep
  for (Dim i = a.first; i < a.last; ++i) {
    const float next = v[i] * 0.9F - g[i] * kRate;
    v[i] = next;
    w[i] += next;
  }
}

STRATA_SIMD_CLONES void rmsprop_loop(const LoopArgs& a) {
  float *w = a.arrays[0], *g = a.arrays[1], *v = a.arrays[2];
#pragma GCC ivdep
  for (Dim i = a.first; i < a.last; ++i) {
    const float next = v[i] * 0.9F + g[i] * g[i] * 0.1F;
    v[i] = next;
    w[i] -= kRate * g[i] / std::sqrt(next + 1e-7F);
  }
}

STRATA_SIMD_CLONES void adam(const LoopArgs& a, float decay) {
  float *w = a.arrays[0], *g = a.arrays[1], *m = a.arrays[2], *v = a.arrays[3];
  const auto rate =
      static_cast<float>(kRate * std::sqrt(1.0 - std::pow(0.999, a.step)) / (1.0 - std::pow(0.9, a.step)));
#pragma GCC ivdep
  for (Dim i = a.first; i < a.last; ++i) {
    const float next_m = m[i] + (g[i] - m[i]) * 0.1F;
    const float next_v = v[i] + (g[i] * g[i] - v[i]) * 0.001F;
    m[i] = next_m;
    v[i] = next_v;
    w[i] = w[i] - w[i] * decay - next_m * rate / (std::sqrt(next_v) + 1e-7F);
  }
}
void adam_loop(const LoopArgs& a) { adam(a, 0.0F); }
void adam_w_loop(const LoopArgs& a) { adam(a, 0.004F * kRate); }

struct Case {
  std::string name;
  Optimizer optimizer;
  int slots;
  Loop loop;  // null when there is no bare loop to compare with
};

std::vector<Case> cases() {
  using namespace optimizers;
  return {{"SGD momentum", SGD({.learning_rate = kRate, .momentum = 0.9}), 1, momentum_loop},
          {"RMSprop", RMSprop({.learning_rate = kRate}), 1, rmsprop_loop},
          {"Adam", Adam({.learning_rate = kRate}), 2, adam_loop},
          {"AdamW", AdamW({.learning_rate = kRate}), 2, adam_w_loop},
          {"Adam clipnorm", Adam({.learning_rate = kRate}, {.clipnorm = 1.0}), 2, nullptr},
          {"Adam global_clipnorm", Adam({.learning_rate = kRate}, {.global_clipnorm = 1.0}), 2, nullptr},
          {"Lamb", Lamb({.learning_rate = kRate}), 2, nullptr}};
}

double milliseconds(const std::function<void()>& run) {
  const auto start = std::chrono::steady_clock::now();
  run();
  return std::chrono::duration<double, std::milli>(std::chrono::steady_clock::now() - start).count();
}

/// The same variables twice: for Strata, and for the bare loop.
class Measurement {
 public:
  Measurement(const Case& c, Dim parameters, Dim variables, int threads)
      : case_(c), elements_(parameters), threads_(threads) {
    const RandomKey key{constant<std::int64_t>({1, 0, 0}, {3}), 1};
    std::vector<Variable> all;
    for (Dim v = 0; v < variables; ++v) {
      all.emplace_back("w", ops::random_normal({key.state, static_cast<std::uint64_t>(v)}, {parameters / variables}));
    }
    Device& device = cpu_device();
    state_ = std::make_unique<FlatState>(all, std::vector<Variable>{}, std::vector<WeightRule>{}, device);
    state_->create_slots(c.optimizer);
    state_->adopt();
    for (int t = 0; t < threads; ++t) streams_.push_back(device.make_stream());
    gradient_ = ops::random_normal({key.state, 999}, {set().layout.elements});
    update_ = std::make_unique<OptimizerUpdate>(c.optimizer, *state_, threads);
    update_->add_bucket(set(), 0, set().layout.elements, gradient_.eval().data(), "gradients");
    own_.push_back(copy_of(set().values));
    own_.push_back(copy_of(gradient_.eval()));
    for (const FlatSlot& slot : set().slots) own_.push_back(copy_of(slot.values));
  }

  double strata_step() {
    return milliseconds([&] {
      update_->begin(strata_steps_++, *streams_[0]);
      update_->bucket_ready(streams_);
      update_->finish(streams_);
    });
  }
  double bare_step() {
    return milliseconds([&] {
      ++bare_steps_;
#pragma omp parallel for num_threads(threads_) schedule(static)
      for (int t = 0; t < threads_; ++t) {
        const IndexRange own = even_part(elements_, threads_, t);
        LoopArgs args{{}, own.first, own.last, bare_steps_};
        for (std::size_t i = 0; i < own_.size(); ++i) args.arrays[i] = own_[i].data();
        case_.loop(args);
      }
    });
  }
  /// Largest difference of a variable, relative to 1.
  double difference() const {
    const auto* values = reinterpret_cast<const float*>(set().values.data());
    double largest = 0.0;
    for (Dim i = 0; i < elements_; ++i) {
      largest = std::max(largest, std::abs(static_cast<double>(values[i]) - own_[0][static_cast<std::size_t>(i)]));
    }
    return largest;
  }
  /// Bytes that must cross to and from memory: all is read, all but the gradient written.
  double bytes() const { return static_cast<double>(elements_) * sizeof(float) * (3.0 + 2.0 * case_.slots); }

 private:
  const FlatSet& set() const { return state_->trainable()[0]; }
  std::vector<float> copy_of(const Buffer& buffer) const {
    const auto* values = reinterpret_cast<const float*>(buffer.data());
    return {values, values + elements_};
  }

  const Case& case_;
  Dim elements_;
  int threads_;
  std::unique_ptr<FlatState> state_;
  std::vector<std::unique_ptr<Stream>> streams_;
  Tensor gradient_;
  std::unique_ptr<OptimizerUpdate> update_;
  std::vector<std::vector<float>> own_;
  std::int64_t strata_steps_ = 0;
  int bare_steps_ = 0;
};

struct Options {
  int rounds = 25;
  int threads = 1;
};

nlohmann::ordered_json measure(const Case& c, Dim parameters, Dim variables, const Options& options) {
  Measurement measurement(c, parameters, variables, options.threads);
  std::vector<double> ours, bare, ratio;
  for (int round = 0; round < options.rounds + 2; ++round) {
    const double strata_ms = measurement.strata_step();
    const double bare_ms = c.loop != nullptr ? measurement.bare_step() : 0.0;
    if (round < 2) continue;  // the first steps compile and touch memory
    ours.push_back(strata_ms);
    bare.push_back(bare_ms);
    ratio.push_back(strata_ms / bare_ms);
  }
  if (c.loop != nullptr && !(measurement.difference() < 1e-4)) {
    throw std::runtime_error(fmt::format("{} differs from its loop by {}", c.name, measurement.difference()));
  }
  const double gigabytes = measurement.bytes() / 1e6;
  nlohmann::ordered_json result{{"optimizer", c.name}, {"parameters", parameters}, {"strata_ms", median(ours)}};
  fmt::print("{:<22}{:>11}{:>10.3f} ms{:>7.1f} GB/s", c.name, parameters, median(ours), gigabytes / median(ours));
  if (c.loop != nullptr) {
    fmt::print("   loop {:>8.3f} ms{:>7.1f} GB/s   {:.2f} times the loop", median(bare), gigabytes / median(bare),
               median(ratio));
    result["loop_ms"] = median(bare);
    result["strata_over_loop"] = median(ratio);
  }
  fmt::print("\n");
  return result;
}

nlohmann::ordered_json run(const Options& options) {
  nlohmann::ordered_json json{{"threads", options.threads}, {"cases", {}}};
  for (const auto& [parameters, variables] : {std::pair<Dim, Dim>{1 << 20, 8}, {25 << 20, 25}}) {
    for (const Case& c : cases()) json["cases"].push_back(measure(c, parameters, variables, options));
  }
  return json;
}

}  // namespace

int main(int argc, char** argv) {
  Options options;
  const auto add_options = [&](CLI::App& app) {
    app.add_option("--rounds", options.rounds, "Steps that are timed; medians are taken over them");
    app.add_option("--threads", options.threads, "Threads of an update");
  };
  return benchmarks::drive(
      argc, argv,
      {"optimizer_step", "Times the update of variables by optimizers.", add_options, [&] { return run(options); }});
}
