// SPDX-License-Identifier: Apache-2.0
// bits_matrix [--quick] [MODEL...]: every combination of model, optimizer, ranks, threads, buckets and transport, 200
// steps each in processes of their own, has to end in the bits of one rank. Says how far it is while it runs, and
// closes with a table. --quick: only so many cases that every two values meet. Run by `./dev bench bits`.
#include <fmt/format.h>

#include <chrono>
#include <cstdio>
#include <cstring>
#include <filesystem>
#include <map>

#include "tests/support/exact_processes.h"

namespace {

using namespace strata::testing;
using Clock = std::chrono::steady_clock;

constexpr std::chrono::seconds kLimit{600};

double seconds_since(Clock::time_point start) { return std::chrono::duration<double>(Clock::now() - start).count(); }

/// What is counted for each line of the table.
struct Line {
  int equal = 0, runs = 0;
  double seconds = 0.0;
};

class Matrix {
 public:
  Matrix(std::string program, TrainingTable table, bool quick)
      : program_(std::move(program)),
        cases_(table.cases(quick ? pairwise_rows(table.sizes()) : all_rows(table.sizes()),
                           {.batches = 19, .epochs = 10})) {}

  /// Whether all were equal.
  bool run() {
    const auto start = Clock::now();
    for (std::size_t i = 0; i < cases_.size(); ++i) {
      const std::string outcome = run_case(cases_[i]);
      const double spent = seconds_since(start),
                   left = spent / static_cast<double>(i + 1) * static_cast<double>(cases_.size() - i - 1);
      fmt::print("{}/{}  {:.0f} s, about {:.0f} s to go  {}: {}\n", i + 1, cases_.size(), spent, left, cases_[i].text(),
                 outcome.empty() ? "equal" : outcome);
      std::fflush(stdout);
      if (!outcome.empty()) failures_.push_back(cases_[i].text() + ": " + outcome);
    }
    print_table(seconds_since(start));
    return failures_.empty();
  }

 private:
  /// How the case differs from its reference; "" when equal.
  std::string run_case(const TrainingCase& run) {
    const auto start = Clock::now();
    std::string found;
    try {
      found = difference(reference(run), train_in_processes(program_, run, kLimit));
    } catch (const std::exception& error) {
      found = error.what();
    }
    Line& line = lines_[{run.model, run.optimizer, run.ranks}];
    ++line.runs;
    line.equal += found.empty() ? 1 : 0;
    line.seconds += seconds_since(start);
    return found;
  }

  const TrainingResult& reference(const TrainingCase& run) {
    const std::string name = run.reference().text();
    const auto known = references_.find(name);
    if (known != references_.end()) return known->second;
    return references_.emplace(name, train_in_processes(program_, run.reference(), kLimit)).first->second;
  }

  void print_table(double seconds) const {
    fmt::print("\n{:<14}{:<10}{:>6}{:>8}{:>8}{:>10}\n", "model", "optimizer", "ranks", "runs", "equal", "seconds");
    int equal = 0;
    for (const auto& [name, line] : lines_) {
      const auto& [model, optimizer, ranks] = name;
      fmt::print("{:<14}{:<10}{:>6}{:>8}{:>8}{:>10.1f}\n", model, optimizer, ranks, line.runs, line.equal,
                 line.seconds);
      equal += line.equal;
    }
    for (const std::string& failure : failures_) fmt::print("DIFFERENT {}\n", failure);
    fmt::print("{} of {} runs of {} steps ended in the bits of one rank ({:.0f} s)\n", equal, cases_.size(),
               cases_.empty() ? 0 : cases_[0].steps(), seconds);
  }

  std::string program_;
  std::vector<TrainingCase> cases_;
  std::map<std::string, TrainingResult> references_;
  std::map<std::tuple<std::string, std::string, int>, Line> lines_;
  std::vector<std::string> failures_;
};

}  // namespace

int main(int argc, char** argv) {
  TrainingTable table;
  table.batches = {13};
  table.buckets_mb = {0.0, 0.004};
  table.shared_memory = {true, false};
  std::vector<std::string> models;
  bool quick = false;
  for (int i = 1; i < argc; ++i) {
    if (std::strcmp(argv[i], "--quick") == 0) quick = true;
    else models.emplace_back(argv[i]);
  }
  if (!models.empty()) table.models = models;
  const auto program = std::filesystem::canonical("/proc/self/exe").parent_path() / "bits_run";
  return Matrix(program.string(), table, quick).run() ? 0 : 1;
}
