// SPDX-License-Identifier: Apache-2.0
#include "common/example.h"

#include <fmt/format.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <cstdio>
#include <fstream>
#include <nlohmann/json.hpp>
#include <sstream>

namespace strata::examples {
namespace {

/// Seconds since the kernel started this process, from /proc (10 ms resolution, rounded up).
double seconds_since_start() {
  std::ifstream file("/proc/self/stat");
  std::string text((std::istreambuf_iterator<char>(file)), {});
  std::istringstream fields(text.substr(text.rfind(')') + 2));
  std::string field;
  for (int i = 3; i <= 22; ++i) fields >> field;  // field 22 is the start time in clock ticks after boot
  timespec now{};
  clock_gettime(CLOCK_BOOTTIME, &now);
  return static_cast<double>(now.tv_sec) + static_cast<double>(now.tv_nsec) * 1e-9 -
         std::stod(field) / static_cast<double>(sysconf(_SC_CLK_TCK));
}

void add_options(CLI::App& app, Options& o) {
  app.add_option("--data", o.data, "Directory that holds the data set")->required();
  app.add_option("--epochs", o.epochs, "Times to go through the training data")->capture_default_str();
  app.add_option("--batch-size", o.batch_size, "Samples a step, over all ranks together")->capture_default_str();
  app.add_option("--max-steps", o.max_steps, "Stop after so many steps; 0 = no limit")->capture_default_str();
  app.add_option("--seed", o.seed, "Seed of initial weights and shuffling")->capture_default_str();
  app.add_option("--optimizer", o.optimizer, "sgd, rmsprop or adam")->capture_default_str();
  app.add_option("--verbose", o.verbose, "0 silent, 1 progress bar, 2 one line an epoch")->capture_default_str();
  app.add_option("--json", o.json, "Write a report of the run to this file");
  app.add_option("--blocks", o.blocks,
                 "Cut every batch into so many blocks: runs with equal blocks end in equal bits on any number of ranks; "
                 "0 = one block a rank")
      ->capture_default_str();
}

nlohmann::ordered_json history_json(const History& history) {
  nlohmann::ordered_json json = nlohmann::ordered_json::object();
  for (const auto& [name, values] : history.history) json[name] = values;
  return json;
}

void write_json(const std::string& path, const nlohmann::ordered_json& json) {
  std::ofstream file(path);
  file << json.dump(2) << "\n";
  file.close();
  if (!file) throw IoError(path, "cannot write the JSON report");
}

/// Rank 0 prints the error that all ranks have; a rank with an error of its own prints that.
void print_error(Communicator* errors, const std::string& text) {
  bool print = true;
  if (errors != nullptr && errors->size() > 1) {
    try {
      errors->set_deadline(std::chrono::seconds(2));
      const std::size_t own = std::hash<std::string>{}(text);
      std::vector<std::size_t> all(static_cast<std::size_t>(errors->size()));
      errors->allgather(&own, all.data(), sizeof(own));
      print = errors->rank() == 0 || own != all[0];
    } catch (const Error&) {
      // The other ranks have not failed, or are gone: then nobody else says it.
    }
  }
  if (print) std::fprintf(stderr, "%s\n", text.c_str());
}

}  // namespace

Example::Example(Options options, std::shared_ptr<Communicator> world)
    : options_(std::move(options)), world_(std::move(world)) {}

FitOptions Example::fit_options() const {
  FitOptions fit;
  fit.batch_size = options_.batch_size;
  fit.epochs = options_.epochs;
  fit.max_steps = options_.max_steps;
  fit.verbose = options_.verbose;
  fit.blocks = options_.blocks;
  return fit;
}

EvaluateOptions Example::evaluate_options(int verbose) const {
  EvaluateOptions evaluate;
  evaluate.verbose = options_.verbose == 0 ? 0 : verbose;
  evaluate.blocks = options_.blocks;
  return evaluate;
}

void Example::print(const std::string& line) const {
  if (world_->rank() == 0) std::printf("%s\n", line.c_str());
}

void Example::report(const Model& model, const History& history, double test_loss, double test_accuracy) const {
  const std::uint64_t hash = model.weights_hash();
  std::vector<std::uint64_t> all(static_cast<std::size_t>(world_->size()));
  world_->allgather(&hash, all.data(), sizeof(hash));
  for (std::size_t r = 0; r < all.size(); ++r) {
    if (all[r] == all[0]) continue;
    throw CommError(world_->rank(), static_cast<int>(r), "weights check",
                    fmt::format("{} ended with other weights ({:016x}) than rank 0 ({:016x}).",
                                world_->describe(static_cast<int>(r)), all[r], all[0]));
  }
  if (options_.json.empty() || world_->rank() != 0) return;
  rusage usage{};
  getrusage(RUSAGE_SELF, &usage);
  const auto since_first = std::chrono::steady_clock::now() - history.first_step + loading_;
  const double steady = static_cast<double>(history.steps - 1);
  write_json(options_.json,
             {{"ranks", world_->size()},
              {"blocks", options_.blocks == 0 ? world_->size() : options_.blocks},
              {"steps", history.steps},
              {"history", history_json(history)},
              {"test_loss", test_loss},
              {"test_accuracy", test_accuracy},
              {"steps_per_second", history.training_seconds > 0 ? steady / history.training_seconds : 0.0},
              {"seconds_to_first_step", seconds_since_start() - std::chrono::duration<double>(since_first).count()},
              {"peak_rss_bytes", std::int64_t{usage.ru_maxrss} * 1024},
              {"weights_xxh64", fmt::format("{:016x}", hash)}});
}

int run(int argc, char** argv, const std::string& description, Options defaults,
        const std::function<void(Example&)>& body) {
  std::shared_ptr<Communicator> world;
  std::unique_ptr<Communicator> errors;
  try {
    world = strata::world();
    errors = world->split(0, world->rank());
    CLI::App app(description);
    add_options(app, defaults);
    try {
      app.parse(argc, argv);
    } catch (const CLI::CallForHelp&) {
      if (world->rank() == 0) std::printf("%s", app.help().c_str());
      shutdown_world(false);
      return 0;
    } catch (const CLI::ParseError& e) {
      throw ConfigError(fmt::format("{} Run {} --help for the options.", e.what(), app.get_name()));
    }
    set_seed(defaults.seed);
    Example example(defaults, world);
    body(example);
    errors.reset();
    shutdown_world(false);
    return 0;
  } catch (const std::exception& e) {
    print_error(errors.get(), e.what());
  }
  std::fflush(nullptr);
  shutdown_world(true);
  return 1;
}

}  // namespace strata::examples
