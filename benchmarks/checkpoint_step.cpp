// SPDX-License-Identifier: Apache-2.0
// What checkpoints cost: training steps with one every so many steps against steps without, interleaved in one run; how
// long copying the state takes against a bare memcpy; and how long a run that continues takes to its first step against
// reading the files. Verifies first that checkpoints change no bit and that a continued run ends in equal weights.
//     checkpoint_step DIRECTORY [--width N] [--batch N] [--every N] [--rounds N] [--json FILE]
#include <fmt/format.h>
#include <strata/strata.h>

#include <cstdio>
#include <cstring>
#include <filesystem>
#include <fstream>

#include "support/driver.h"
#include "support/statistics.h"

using namespace strata;

namespace {

using benchmarks::median;
using Clock = std::chrono::steady_clock;

struct Options {
  std::string directory;
  Dim width = 2000;
  Dim batch = 2048;
  Dim every = 10;
  int rounds = 3;
};

double seconds_since(Clock::time_point start) { return std::chrono::duration<double>(Clock::now() - start).count(); }

/// Notes when each step began and ended.
struct StepTimes : Callback {
  void on_train_batch_begin(Dim) override {
    if (begins.empty()) begins.push_back(Clock::now());
  }
  void on_train_batch_end(Dim, const Logs&) override { ends.push_back(Clock::now()); }
  std::vector<Clock::time_point> begins, ends;
};

/// Dense layers under Adam: about 24 bytes of state for each of width^2.
class Training {
 public:
  explicit Training(const Options& options) : options_(options) {
    clear_session();
    set_seed(1);
    const Tensor input = Input({options.width});
    const Tensor x = layers::Dense(options.width, {.activation = "relu"})(input);
    model_ = std::make_unique<Model>(input, layers::Dense(10)(layers::Dense(options.width, {.activation = "relu"})(x)));
    model_->compile({.optimizer = "adam", .loss = losses::SparseCategoricalCrossentropy({.from_logits = true})});
    const RandomKey key{constant<std::int64_t>({1, 0, 0}, {3}), 1};
    x_ = ops::random_uniform(key, {options.batch, options.width});
    y_ = ops::argmax(ops::slice(x_, {0, 0}, {None, 10}));
    x_.eval();
    y_.eval();
  }

  /// One step an epoch.
  std::shared_ptr<StepTimes> run(Dim steps, const std::string& directory, Dim every) {
    auto times = std::make_shared<StepTimes>();
    model_->fit(x_, y_,
                {.batch_size = options_.batch,
                 .epochs = static_cast<int>(steps),
                 .verbose = 0,
                 .callbacks = {times},
                 .shuffle = false,
                 .checkpoint = {.directory = directory, .every_steps = every}});
    return times;
  }
  std::uint64_t hash() const { return model_->weights_hash(); }

 private:
  Options options_;
  std::unique_ptr<Model> model_;
  Tensor x_, y_;
};

/// Seconds a step, checkpoints included, from the end of step `every` to the end of step 4 times that: three are begun
/// in between, of which the last is written beyond.
double seconds_a_step(const Options& options, bool with) {
  Training training(options);
  const auto times = training.run(4 * options.every, with ? options.directory : "", with ? options.every : 0);
  const auto first = static_cast<std::size_t>(options.every) - 1,
             last = 4 * static_cast<std::size_t>(options.every) - 1;
  std::filesystem::remove_all(options.directory);
  return std::chrono::duration<double>(times->ends[last] - times->ends[first]).count() /
         static_cast<double>(last - first);
}

/// Seconds for a copy of so many bytes: by a shard of a checkpoint, and by memcpy.
struct Copies {
  double shard = 0, memcpy = 0;
};

Copies time_copies(std::size_t bytes) {
  const auto elements = static_cast<Dim>(bytes / sizeof(float));
  const Tensor state = ops::full({elements}, 1.0, Dtype::float32);
  const std::vector<StateTensor> tensors{{"weights/all", {{elements}, Dtype::float32}}};
  const std::vector<StatePart> parts{{0, 0, elements, state.eval()}};
  const auto shard = checkpoint_files().make_shard();
  shard->copy(tensors, parts);
  std::vector<std::byte> bare(bytes, std::byte{1});
  std::vector<double> times[2];
  for (int i = 0; i < 9; ++i) {
    auto start = Clock::now();
    shard->copy(tensors, parts);
    times[0].push_back(seconds_since(start));
    start = Clock::now();
    std::memcpy(bare.data(), state.eval().data(), bytes);
    times[1].push_back(seconds_since(start));
  }
  return {median(times[0]), median(times[1])};
}

/// Reads all files of the newest checkpoint.
double time_reading(const std::string& directory) {
  const auto start = Clock::now();
  const std::int64_t step = checkpoint_files().steps(directory).back();
  std::vector<char> piece(std::size_t{8} << 20);
  for (const auto& entry : std::filesystem::directory_iterator(fmt::format("{}/step-{:08}", directory, step))) {
    std::ifstream file(entry.path(), std::ios::binary);
    while (file.read(piece.data(), static_cast<std::streamsize>(piece.size()))) continue;
  }
  return seconds_since(start);
}

struct Restart {
  double to_first_step = 0, reading = 0;
};

/// From the call of fit that continues a run to the beginning of its first step.
Restart time_restart(const Options& options) {
  std::filesystem::remove_all(options.directory);
  Training whole(options), first(options), second(options);
  whole.run(4, "", 0);
  first.run(3, options.directory, 3);
  const double reading = time_reading(options.directory);
  const auto start = Clock::now();
  const auto times = second.run(4, options.directory, 100);
  const double restart = std::chrono::duration<double>(times->begins.at(0) - start).count();
  std::filesystem::remove_all(options.directory);
  if (times->ends.size() != 1) throw InternalError("the run did not go on from its checkpoint");
  if (second.hash() != whole.hash()) throw InternalError("a continued run ends in other weights");
  return {restart, reading};
}

nlohmann::ordered_json run(const Options& options) {
  if (std::filesystem::exists(options.directory)) {
    throw ConfigError(options.directory + ": expected a directory that does not exist yet; it is removed at the end");
  }
  const Restart restart = time_restart(options);
  const double state =
      12.0 * (2.0 * static_cast<double>(options.width * options.width) + 12.0 * static_cast<double>(options.width));
  const Copies copies = time_copies(static_cast<std::size_t>(state));
  std::vector<double> with, without;
  for (int round = 0; round < options.rounds; ++round) {
    without.push_back(seconds_a_step(options, false));
    with.push_back(seconds_a_step(options, true));
  }
  const double a = median(without), b = median(with), per_100 = 1e8 / state;
  fmt::print("{:.1f} MB of state, a checkpoint every {} steps\n", state / 1e6, options.every);
  fmt::print("  step without         {:9.2f} ms\n  step with            {:9.2f} ms  {:+.2f} %\n", a * 1e3, b * 1e3,
             (b / a - 1) * 100);
  fmt::print("  copy of the state    {:9.2f} ms  {:.1f} for 100 MB; memcpy {:.1f}\n", copies.shard * 1e3,
             copies.shard * per_100 * 1e3, copies.memcpy * per_100 * 1e3);
  fmt::print("  restart to step      {:9.2f} ms  of which the bare reading of the files {:.2f}\n",
             restart.to_first_step * 1e3, restart.reading * 1e3);
  return {{"state_bytes", state},
          {"step_seconds_without", a},
          {"step_seconds_with", b},
          {"slowdown", b / a - 1},
          {"copy_seconds_100_mb", copies.shard * per_100},
          {"memcpy_seconds_100_mb", copies.memcpy * per_100},
          {"restart_seconds", restart.to_first_step},
          {"reading_seconds", restart.reading}};
}

}  // namespace

int main(int argc, char** argv) {
  Options options;
  const auto add_options = [&](CLI::App& app) {
    app.add_option("DIRECTORY", options.directory, "Where checkpoints go; does not exist yet")->required();
    app.add_option("--width", options.width, "Units of each of two dense layers")->capture_default_str();
    app.add_option("--batch", options.batch, "Samples of a step")->capture_default_str();
    app.add_option("--every", options.every, "Steps from one checkpoint to the next")->capture_default_str();
    app.add_option("--rounds", options.rounds, "Rounds; medians are taken over them")->capture_default_str();
  };
  return benchmarks::drive(
      argc, argv, {"checkpoint_step", "Times what checkpoints cost.", add_options, [&] { return run(options); }});
}
