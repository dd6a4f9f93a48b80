// SPDX-License-Identifier: Apache-2.0
// What checkpoints cost a model with steps of 300 ms and 100 MB of state: how much longer ten steps take in which one
// is written than ten in which none is, in turn in one run; how long training stands still for the copy of the state;
// and how long a run that continues takes to its first step, beside the bare reading of the files. Verifies first that
// checkpoints change no bit and that a continued run ends in equal weights.
//     checkpoint_step DIRECTORY [--width N] [--step-ms MS] [--every N] [--rounds N] [--json FILE]
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

// What is to be reached.
constexpr double kMostSlowdown = 0.02, kMostSnapshot = 0.025, kMostRestart = 1.0;

struct Options {
  std::string directory;
  Dim width = 2040;
  Dim batch = 0;  // as many as make a step of step_ms
  double step_ms = 300;
  Dim every = 10;
  int rounds = 9;
};

double seconds(Clock::duration time) { return std::chrono::duration<double>(time).count(); }
double seconds_since(Clock::time_point start) { return seconds(Clock::now() - start); }

/// Notes when each step began and ended.
struct StepTimes : Callback {
  void on_train_batch_begin(Dim) override { begins.push_back(Clock::now()); }
  void on_train_batch_end(Dim, const Logs&) override {
    ends.push_back(Clock::now());
    const auto steps = static_cast<Dim>(ends.size());
    if (stretch == 0 || steps < 3 * stretch || steps % (2 * stretch) != stretch) return;
    const std::vector<std::int64_t> saved = checkpoint_files().steps(directory);
    if (saved.empty() || saved.back() != steps - stretch) ++late;
  }
  std::vector<Clock::time_point> begins, ends;
  Dim stretch = 0;  // where a checkpoint has to be whole so many steps after it was begun
  std::string directory = {};
  int late = 0;
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
  std::shared_ptr<StepTimes> run(Dim steps, const std::string& directory, Dim every, Dim stretch = 0) {
    auto times = std::make_shared<StepTimes>();
    times->stretch = stretch;
    times->directory = directory;
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

/// Samples that make a step as long as it is to be.
Dim fitting_batch(Options options) {
  options.batch = 256;
  Training training(options);
  const auto times = training.run(8, "", 0);
  std::vector<double> steps;
  for (std::size_t i = 2; i < times->ends.size(); ++i) steps.push_back(seconds(times->ends[i] - times->ends[i - 1]));
  const double wanted = static_cast<double>(options.batch) * options.step_ms / 1e3 / median(steps);
  return std::max<Dim>(16, static_cast<Dim>(wanted / 16) * 16);
}

struct Cost {
  double step = 0;      // without checkpoints
  double slowdown = 0;  // of steps with one every so many
  double snapshot = 0;  // how long training stands still for it
  double first_snapshot = 0;
};

/// A checkpoint is begun before every other stretch of so many steps, and has to be on the disk at its end. Neighbours
/// are compared, since a machine with other work changes its speed.
Cost time_stretches(const Options& options) {
  Training training(options);
  const auto length = static_cast<std::size_t>(options.every);
  const auto stretches = static_cast<std::size_t>(2 * options.rounds + 2);
  const auto times =
      training.run(static_cast<Dim>((stretches + 2) * length), options.directory, 2 * options.every, options.every);
  const auto end = [&](std::size_t stretch) { return times->ends[stretch * length - 1]; };
  const auto pause = [&](std::size_t step) { return seconds(times->begins[step] - times->ends[step - 1]); };
  std::vector<double> ratios, steps, snapshots;
  // The first one, for which files are laid out, does not count.
  for (std::size_t i = 4; i <= stretches; i += 2) {
    const double with = seconds(end(i + 1) - end(i)), without = seconds(end(i + 2) - end(i + 1));
    ratios.push_back(with / without);
    steps.push_back(without / static_cast<double>(length));
    snapshots.push_back(pause(i * length) - pause((i + 1) * length));
  }
  if (times->late > 0) throw InternalError(fmt::format("{} checkpoints took longer than the stretch", times->late));
  std::filesystem::remove_all(options.directory);
  return {median(steps), median(ratios) - 1, median(snapshots), pause(2 * length)};
}

/// Seconds for a bare copy of so many bytes.
double time_memcpy(std::size_t bytes) {
  std::vector<std::byte> from(bytes, std::byte{1}), to(bytes);
  std::vector<double> times;
  for (int i = 0; i < 9; ++i) {
    const auto start = Clock::now();
    std::memcpy(to.data(), from.data(), bytes);
    times.push_back(seconds_since(start));
  }
  return median(times);
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
  Training whole(options), first(options);
  whole.run(4, "", 0);
  std::vector<double> restarts, readings;
  first.run(3, options.directory, 3);
  for (int round = 0; round < 3; ++round) {
    Training second(options);
    readings.push_back(time_reading(options.directory));
    const auto start = Clock::now();
    const auto times = second.run(4, options.directory, 100);
    restarts.push_back(seconds(times->begins.at(0) - start));
    if (times->ends.size() != 1) throw InternalError("the run did not go on from its checkpoint");
    if (second.hash() != whole.hash()) throw InternalError("a continued run ends in other weights");
    std::filesystem::remove_all(fmt::format("{}/step-{:08}", options.directory, 4));
  }
  std::filesystem::remove_all(options.directory);
  return {median(restarts), median(readings)};
}

const char* verdict(bool reached) { return reached ? "reached" : "MISSED"; }

nlohmann::ordered_json run(Options options) {
  if (std::filesystem::exists(options.directory)) {
    throw ConfigError(options.directory + ": expected a directory that does not exist yet; it is removed at the end");
  }
  if (options.batch == 0) options.batch = fitting_batch(options);
  const Restart restart = time_restart(options);
  const double state =
      12.0 * (2.0 * static_cast<double>(options.width * options.width) + 12.0 * static_cast<double>(options.width));
  const Cost cost = time_stretches(options);
  const double per_100 = 1e8 / state, copy = time_memcpy(static_cast<std::size_t>(state)) * per_100;
  const double snapshot = cost.snapshot * per_100, opening = restart.to_first_step - restart.reading;
  const bool slow = cost.slowdown > kMostSlowdown, still = snapshot > kMostSnapshot, late = opening > kMostRestart;
  fmt::print("{:.1f} MB of state, a checkpoint every {} steps of {:.0f} ms ({} samples)\n", state / 1e6, options.every,
             cost.step * 1e3, options.batch);
  fmt::print("  throughput           {:+9.2f} %   {} (at most -2 %)\n", -cost.slowdown * 100, verdict(!slow));
  fmt::print("  snapshot, 100 MB     {:9.2f} ms  {} (at most 25 ms); the first one {:.2f}, memcpy {:.2f}\n",
             snapshot * 1e3, verdict(!still), cost.first_snapshot * per_100 * 1e3, copy * 1e3);
  fmt::print("  restart to step      {:9.2f} ms  {} (at most 1 s more than reading the files, which takes {:.2f} ms)\n",
             restart.to_first_step * 1e3, verdict(!late), restart.reading * 1e3);
  return {{"state_bytes", state},
          {"step_seconds", cost.step},
          {"slowdown", cost.slowdown},
          {"snapshot_seconds_100_mb", snapshot},
          {"first_snapshot_seconds_100_mb", cost.first_snapshot * per_100},
          {"memcpy_seconds_100_mb", copy},
          {"restart_seconds", restart.to_first_step},
          {"reading_seconds", restart.reading},
          {"reached", !slow && !still && !late}};
}

}  // namespace

int main(int argc, char** argv) {
  Options options;
  const auto add_options = [&](CLI::App& app) {
    app.add_option("DIRECTORY", options.directory, "Where checkpoints go; does not exist yet")->required();
    app.add_option("--width", options.width, "Units of each of two dense layers")->capture_default_str();
    app.add_option("--batch", options.batch, "Samples of a step; 0 = as many as make it --step-ms long")
        ->capture_default_str();
    app.add_option("--step-ms", options.step_ms, "How long a step is to take")->capture_default_str();
    app.add_option("--every", options.every, "Steps from one checkpoint to the next")->capture_default_str();
    app.add_option("--rounds", options.rounds, "Rounds; medians are taken over them")
        ->check(CLI::Range(2, 1000))
        ->capture_default_str();
  };
  return benchmarks::drive(
      argc, argv, {"checkpoint_step", "Times what checkpoints cost.", add_options, [&] { return run(options); }});
}
