// SPDX-License-Identifier: Apache-2.0
#include "common/example.h"

#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <cerrno>
#include <charconv>
#include <cstdio>
#include <cstring>
#include <filesystem>
#include <limits>
#include <map>
#include <thread>

#include "core/training/provenance.h"
#include "core/training/resume_point.h"

namespace strata::examples {
namespace {

/// Takes a whole number in [low, high]. CLI11's own conversion wraps -1 to the largest seed.
template <class T>
CLI::Validator whole_number(T low, T high = std::numeric_limits<T>::max()) {
  return {[low, high](const std::string& text) {
            T value{};
            const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
            const bool whole = error == std::errc() && end == text.data() + text.size();
            if (whole && value >= low && value <= high) return std::string();
            return fmt::format("expected a whole number from {} to {}, received \"{}\"", low, high, text);
          },
          ""};
}

CLI::Validator optimizer_name() {
  return {[](const std::string& text) {
            try {
              const Optimizer known(text);
              return std::string();
            } catch (const ConfigError& error) {
              return std::string(error.what());
            }
          },
          ""};
}

const std::map<std::string, NanPolicy>& nan_policies() {
  static const std::map<std::string, NanPolicy> all{
      {"ignore", NanPolicy::ignore}, {"skip", NanPolicy::skip}, {"stop", NanPolicy::stop}};
  return all;
}

CLI::Validator nan_policy_name() {
  return {[](const std::string& text) {
            if (nan_policies().contains(text)) return std::string();
            return fmt::format("expected ignore, skip or stop, received \"{}\"", text);
          },
          ""};
}

void add_options(CLI::App& app, Options& o) {
  auto* data = app.add_option("--data", o.data, "Directory that holds the data set")->required(o.needs_data);
  app.add_flag_callback(
      "--summary-only",
      [&o, data] {
        o.summary_only = true;
        data->required(false);
      },
      "Print the models' tables and end");
  app.add_option("--epochs", o.epochs, "Times to go through the training data")
      ->check(whole_number(1))
      ->capture_default_str();
  app.add_option("--batch-size", o.batch_size, "Samples a step, over all ranks together")
      ->check(whole_number(Dim{1}))
      ->capture_default_str();
  app.add_option("--max-steps", o.max_steps, "Stop after so many steps; 0 = no limit")
      ->check(whole_number(Dim{0}))
      ->capture_default_str();
  app.add_option("--seed", o.seed, "Seed of initial weights and shuffling")
      ->check(whole_number(std::uint64_t{0}))
      ->capture_default_str();
  app.add_option("--optimizer", o.optimizer, "By its Keras name and with its defaults: sgd, rmsprop, adam, adamw...")
      ->check(optimizer_name())
      ->capture_default_str();
  app.add_option("--verbose", o.verbose, "0 silent, 1 progress bar, 2 one line an epoch")
      ->check(whole_number(0, 2))
      ->capture_default_str();
  app.add_option("--plot", o.plot, "Draw the model into this file: .png, .svg, .pdf (by Graphviz) or .dot");
  app.add_option("--json", o.json, "Write a report of the run to this file");
  app.add_option("--timeline", o.timeline,
                 "Write what every rank did when to this file, for chrome://tracing and https://ui.perfetto.dev");
  app.add_option(
         "--blocks", o.blocks,
         "Cut every batch into so many blocks: runs with equal blocks end in equal bits on any number of ranks; "
         "0 = one block a rank")
      ->check(whole_number(Dim{0}))
      ->capture_default_str();
  app.add_option("--bucket-mb", o.bucket_mb, "Megabytes of gradients that ranks sum in one go; 0 = as measured")
      ->check(CLI::Range(0.0, 1e6))
      ->capture_default_str();
  app.add_option("--deadline", o.deadline,
                 "Seconds after which a rank that waits for another gives up; 0 = 60, and 10 in steps after the first")
      ->check(CLI::Range(0.0, 1e6))
      ->capture_default_str();
  app.add_flag("--shard-optimizer", o.shard_optimizer,
               "Each rank keeps and updates its share of the optimizer's state only: less memory, equal bits");
  app.add_flag(
      "--compress-transfer", o.compress_transfer,
      "Between hosts gradients travel as bfloat16: half the bytes, but the bits of the result depend on the hosts");
  app.add_option("--accumulate", o.accumulate, "Update once every so many steps, by the mean of their gradients")
      ->check(whole_number(1))
      ->capture_default_str();
  app.add_option_function<std::string>(
         "--nan-policy", [&o](const std::string& name) { o.nan_policy = nan_policies().at(name); },
         "What becomes of a step whose gradients are not finite: ignore, skip (it is left out) or stop")
      ->check(nan_policy_name())
      ->default_str("ignore");
}

CLI::Validator resume_place() {
  return {[](const std::string& text) {
            try {
              resume_point(text);
            } catch (const ConfigError& error) {
              return std::string(error.what());
            }
            return std::string();
          },
          ""};
}

void add_checkpoint_options(CLI::App& app, Options& o) {
  auto* directory =
      app.add_option("--checkpoint-dir", o.checkpoint.directory,
                     "Write checkpoints into this directory, which all ranks have to see. SIGTERM, SIGINT "
                     "or SIGUSR1 on any rank then make the run save and end with exit code 85");
  app.add_option("--checkpoint-every", o.checkpoint.every_steps, "Steps from one to the next; 0 = after every epoch")
      ->check(whole_number(Dim{0}))
      ->capture_default_str()
      ->needs(directory);
  app.add_option("--resume", o.resume,
                 "Where to begin: auto (at the newest whole checkpoint), never (anew), or the step of one")
      ->check(resume_place())
      ->capture_default_str()
      ->needs(directory);
  app.add_option("--keep", o.checkpoint.keep, "How many checkpoints stay, the newest ones")
      ->check(whole_number(1))
      ->capture_default_str()
      ->needs(directory);
  app.add_option(
         "--save-before", o.checkpoint.save_before,
         "After a signal train on for as long as the last checkpoint can still be whole within so many seconds; "
         "0 = save after the present step")
      ->check(CLI::Range(0.0, 1e6))
      ->capture_default_str()
      ->needs(directory);
}

/// Parses the options; false after --help, whose text rank 0 prints.
bool parse(int argc, char** argv, const std::string& description, int rank, Options& options) {
  CLI::App app(description);
  add_options(app, options);
  add_checkpoint_options(app, options);
  if (options.own_options) options.own_options(app);
  try {
    app.parse(argc, argv);
    return true;
  } catch (const CLI::CallForHelp&) {
    if (rank == 0) std::printf("%s", app.help().c_str());
    return false;
  } catch (const CLI::ParseError& e) {
    std::string what = e.what();
    if (what.back() != '.') what += '.';
    throw ConfigError(fmt::format("{} Run {} --help for the options.", what, app.get_name()));
  }
}

/// 0, or the errno of opening the file for writing. Leaves the file as it is.
int try_to_write(const std::string& path) {
  std::error_code ignored;
  const bool there = std::filesystem::exists(path, ignored);
  std::FILE* file = std::fopen(path.c_str(), "ab");
  if (file == nullptr) return errno;
  std::fclose(file);
  if (!there) std::filesystem::remove(path, ignored);
  return 0;
}

/// Rank 0 tries before training, whose result would be lost, whether the report can be written. Collective.
void require_writable(const std::string& path, Communicator& world) {
  if (path.empty()) return;
  int error = world.rank() == 0 ? try_to_write(path) : 0;
  world.broadcast(&error, sizeof(error), 0);
  if (error != 0) throw IoError(path, fmt::format("cannot write the JSON report: {}", std::strerror(error)));
}

double timed_step(const std::function<Tensor(Dim)>& step, Dim number) {
  const std::string place = fmt::format("step {}", number);
  const TimelineSpan span(TimelineRecorder::current(), TimelineCategory::step, 0, "training step", place);
  return step(number).item<float>();
}

/// After all that was printed before it.
void print_now(const std::string& error) {
  std::fflush(nullptr);
  std::fprintf(stderr, "%s\n", error.c_str());
}

/// Rank 0 prints the error that all ranks have; a rank with an error of its own prints that. No rank returns before all
/// have printed: the launcher ends the others as soon as one has exited.
void print_error(Communicator* errors, const std::string& text) {
  const bool together = errors != nullptr && errors->size() > 1;
  bool print = true;
  try {
    if (together) {
      errors->set_deadlines({std::chrono::seconds(2), std::chrono::seconds(2)});
      const std::size_t own = std::hash<std::string>{}(text);
      std::vector<std::size_t> all(static_cast<std::size_t>(errors->size()));
      errors->allgather(&own, all.data(), sizeof(own));
      print = errors->rank() == 0 || own != all[0];
    }
    if (print) print_now(text);
    print = false;
    if (together) errors->barrier();
  } catch (const Error&) {
    // The other ranks have not failed, or are gone: then nobody else says it.
    if (print) print_now(text);
  }
}

}  // namespace

Example::Example(Options options, std::shared_ptr<Communicator> world, std::chrono::duration<double> joining)
    : options_(std::move(options)), world_(std::move(world)), joining_(joining), provenance_(run_provenance(*world_)) {
  if (options_.checkpoint.directory.empty() && world_->rank() == 0) {  // else fit says it
    for (const std::string& warning : provenance_warnings(provenance_)) print_now("Warning: " + warning);
  }
  if (options_.timeline.empty()) return;
  timeline_ = std::make_unique<Timeline>(options_.timeline, TimelineOptions{.communicator = world_});
}

Optimizer Example::optimizer() const {
  if (options_.accumulate == 1) return options_.optimizer;
  const Config config = Config::object({{"gradient_accumulation_steps", options_.accumulate}});
  return Optimizer::from_config(Config::object({{"class_name", options_.optimizer}, {"config", config}}));
}

FitOptions Example::fit_options() const {
  FitOptions fit;
  fit.batch_size = options_.batch_size;
  fit.epochs = options_.epochs;
  fit.max_steps = options_.max_steps;
  fit.verbose = options_.verbose;
  fit.blocks = options_.blocks;
  fit.bucket_mb = options_.bucket_mb;
  fit.compress_transfer = options_.compress_transfer;
  fit.nan_policy = options_.nan_policy;
  fit.checkpoint = options_.checkpoint;
  fit.resume = options_.resume;
  return fit;
}

EvaluateOptions Example::evaluate_options(int verbose) const {
  EvaluateOptions evaluate;
  evaluate.verbose = options_.verbose == 0 ? 0 : verbose;
  evaluate.blocks = options_.blocks;
  return evaluate;
}

void Example::print(const std::string& line) const {
  if (world_->rank() == 0 && options_.verbose > 0) std::printf("%s\n", line.c_str());
}

void Example::summarize(const Model& model) {
  if (options_.verbose > 0 || summary_only()) model.summary();
  drawn_ = model;
}

void Example::present(const Model& model) {
  drawn_ = model;
  if (!summary_only()) return;
  if (model.graph().built()) model.summary();
  else print(model.name() + " has no table before it is called: what it computes is the body of a function");
}

History Example::loop(Dim steps_an_epoch, Dim every, const std::function<Tensor(Dim)>& step) const {
  using Clock = std::chrono::steady_clock;
  const std::pair<const char*, bool> only_in_fit[] = {{"--shard-optimizer", options_.shard_optimizer},
                                                      {"--compress-transfer", options_.compress_transfer},
                                                      {"--nan-policy", options_.nan_policy != NanPolicy::ignore},
                                                      {"--checkpoint-dir", !options_.checkpoint.directory.empty()}};
  for (const auto& [name, given] : only_in_fit) {
    if (!given) continue;
    throw ConfigError(std::string(name) +
                      ": expected a program that trains with fit; this one has a training loop of its own");
  }
  Dim steps = options_.epochs * steps_an_epoch;
  if (options_.max_steps > 0) steps = std::min(steps, options_.max_steps);
  History history;
  for (; history.steps < steps; ++history.steps) {
    const double loss = timed_step(step, history.steps);
    if (history.steps == 0) history.first_step = Clock::now();
    if (history.steps % every != 0 && history.steps + 1 != steps) continue;
    history.append(static_cast<int>(history.steps), {{"loss", loss}});
    print(fmt::format("step {} - loss: {:.6g}", history.steps, loss));
  }
  history.timed_steps = history.steps - 1;
  history.training_seconds = std::chrono::duration<double>(Clock::now() - history.first_step).count();
  return history;
}

void Example::write_timeline() {
  if (!timeline_) return;
  timeline_->write();
  if (timeline_->dropped() > 0)
    print(fmt::format("{}: {} later events had no room", options_.timeline, timeline_->dropped()));
}

void Example::draw() const {
  if (options_.plot.empty()) return;
  if (!drawn_) throw ConfigError("--plot: this program has no model to draw");
  plot_model(*drawn_, options_.plot, {.show_shapes = true, .expand_nested = true});
}

RandomKey random_key() {
  Session& session = Session::current();
  const auto seed = static_cast<std::int64_t>(session.seed());
  return {constant<std::int64_t>({seed, session.next_draw(), 0}, {3})};
}

int run(int argc, char** argv, const std::string& description, Options defaults,
        const std::function<void(Example&)>& body) {
  std::shared_ptr<Communicator> world;
  std::unique_ptr<Communicator> errors;
  try {
    const auto start = std::chrono::steady_clock::now();
    world = strata::world();
    const std::chrono::duration<double> joining = std::chrono::steady_clock::now() - start;
    errors = world->split(0, world->rank());
    if (parse(argc, argv, description, world->rank(), defaults)) {
      if (defaults.deadline > 0) {
        const auto deadline =
            std::chrono::duration_cast<Communicator::Clock::duration>(std::chrono::duration<double>(defaults.deadline));
        world->set_deadlines({deadline, deadline});
      }
      require_writable(defaults.json, *world);
      if (!defaults.checkpoint.directory.empty()) preempt_on_signals();
      set_seed(defaults.seed);
      Example example(defaults, world, joining);
      body(example);
      example.write_timeline();
      example.draw();
    }
    errors.reset();
    shutdown_world(false);
    return 0;
  } catch (const Preempted& e) {
    print_error(errors.get(), e.what());
    errors.reset();
    shutdown_world(false);
    return kPreemptedExitCode;
  } catch (const CommError& e) {
    print_error(errors.get(), e.what());
    // A rank that ended is looked for every half second: one that stays a little is not taken for the cause.
    std::this_thread::sleep_for(std::chrono::seconds(1));
  } catch (const std::exception& e) {
    print_error(errors.get(), e.what());
  }
  shutdown_world(true);
  return 1;
}

}  // namespace strata::examples
