// SPDX-License-Identifier: Apache-2.0
// random_faults FAULTS [SEED]: trains on 4 ranks again and again and disturbs them by at least so many faults at random
// times: a third of the runs on ranks that are threads, which are late or throw, the others on processes under mpirun,
// which are stopped for some time or for good, or killed. Every run has to end with the bits of an undisturbed one, or
// with CommError on every rank that is left, within the deadline and a slack. Prints what happened.
#include <fmt/format.h>
#include <signal.h>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <future>
#include <sstream>

#include "core/base/error.h"
#include "distributed/local/local_communicator.h"
#include "tests/support/exact_training.h"
#include "tests/support/faults.h"
#include "tests/support/faulty_communicator.h"
#include "tests/support/files.h"
#include "tests/support/process.h"
#include "tests/support/ranks.h"

namespace {

using namespace strata;
using namespace strata::testing;
using Clock = std::chrono::steady_clock;

constexpr int kRanks = 4;
// More ranks than cores, and other work on the machine: a rank that is told late is not a rank that hangs.
constexpr double kSlack = 5.0;
// Of runs that nobody disturbs, on the same machine.
constexpr double kLongDeadline = 60.0;

double now() { return std::chrono::duration<double>(Clock::now().time_since_epoch()).count(); }
void sleep_until(double time) { std::this_thread::sleep_for(std::chrono::duration<double>(time - now())); }

std::string hash_of(const TrainingResult& result) {
  for (const auto& [place, value] : result) {
    if (place == "weights_xxh64") return value;
  }
  return "none";
}

/// Runs on threads.
class Threads {
 public:
  static constexpr double kDeadline = 0.5;

  std::vector<RankEnd> run(std::vector<Fault>& faults, double deadline) {
    std::vector<RankEnd> ends(kRanks);
    const auto start = Clock::now();
    const auto elapsed = [&] { return std::chrono::duration<double>(Clock::now() - start).count(); };
    try {
      run_ranks(kRanks, [&](Communicator& communicator) {
        RankEnd& end = ends[static_cast<std::size_t>(communicator.rank())];
        const auto limit = std::chrono::duration_cast<Clock::duration>(std::chrono::duration<double>(deadline));
        communicator.set_deadlines({limit, limit});
        const auto faulty = std::make_shared<FaultyCommunicator>(communicator, faults, start);
        try {
          const auto hash = hash_of(train({.epochs = 40}, {.communicator = faulty}));
          end = {RankEnd::success, elapsed(), hash};
        } catch (const CommError& error) {
          end = {RankEnd::comm_error, elapsed(), error.what()};
          throw;
        } catch (const PlantedError& error) {
          end = {RankEnd::other_error, elapsed(), error.what()};
          throw;
        }
      });
    } catch (const CommError&) {  // The ends are known.
    } catch (const PlantedError&) {
    }
    return ends;
  }
};

/// Runs under mpirun, which is told to leave the survivors alone.
class Processes {
 public:
  static constexpr double kDeadline = 1.0;

  explicit Processes(std::string program) : program_(std::move(program)) {}

  std::vector<RankEnd> run(std::vector<Fault>& faults, double deadline) {
    const TemporaryDirectory directory;
    auto job = std::async(std::launch::async, [&] {
      return run_mpi(kRanks, {{program_, directory.path(), "150"}, {{"STRATA_DEADLINE", fmt::format("{}", deadline)}}},
                     OnLostRank::others_live);
    });
    const auto processes = await_begin(directory, job);
    disturb(faults, processes, directory);
    const auto ends = await_ends(faults, directory, processes);
    for (const Fault& fault : faults) {
      if (fault.happened && fault.kind == Fault::stop) kill(processes[static_cast<std::size_t>(fault.rank)], SIGKILL);
    }
    const MpiOutcome outcome = job.get();
    if (!outcome.in_time) throw std::runtime_error("a job had to be ended: " + outcome.text());
    return ends;
  }

 private:
  std::vector<pid_t> await_begin(const TemporaryDirectory& directory, std::future<MpiOutcome>& job) {
    std::vector<pid_t> processes(kRanks);
    begin_ = 0.0;
    for (int rank = 0; rank < kRanks; ++rank) {
      const std::string file = directory.path("begin." + std::to_string(rank));
      while (!std::filesystem::exists(file)) {
        if (job.wait_for(std::chrono::milliseconds(1)) == std::future_status::ready) {
          throw std::runtime_error("a job ended before it trained: " + job.get().text());
        }
      }
      double time = 0.0;
      std::istringstream(read_text(file)) >> processes[static_cast<std::size_t>(rank)] >> time;
      begin_ = std::max(begin_, time);
    }
    return processes;
  }

  void disturb(std::vector<Fault>& faults, const std::vector<pid_t>& processes, const TemporaryDirectory& directory) {
    std::vector<std::future<void>> wakes;
    for (Fault& fault : faults) {
      sleep_until(begin_ + fault.at);
      // A rank that has ended is no more, and its number may be another's.
      if (std::filesystem::exists(directory.path("end." + std::to_string(fault.rank)))) continue;
      const pid_t process = processes[static_cast<std::size_t>(fault.rank)];
      fault.happened = true;
      kill(process, fault.kind == Fault::kill ? SIGKILL : SIGSTOP);
      if (fault.kind != Fault::pause) continue;
      wakes.push_back(std::async(std::launch::async, [fault, process, this] {
        sleep_until(begin_ + fault.at + fault.seconds);
        kill(process, SIGCONT);
      }));
    }
  }

  std::vector<RankEnd> await_ends(const std::vector<Fault>& faults, const TemporaryDirectory& directory,
                                  const std::vector<pid_t>& processes) {
    std::vector<RankEnd> ends;
    const double limit = now() + 30.0;
    for (int rank = 0; rank < kRanks; ++rank) {
      const std::string file = directory.path("end." + std::to_string(rank));
      while (!std::filesystem::exists(file)) {
        if (faults.back().happened && faults.back().final() && faults.back().rank == rank) break;
        if (now() > limit) {
          for (const pid_t process : processes) kill(process, SIGKILL);
          throw std::runtime_error(fmt::format("rank {} hangs", rank));
        }
        std::this_thread::sleep_for(std::chrono::milliseconds(1));
      }
      if (std::filesystem::exists(file)) ends.push_back(read_end(file));
    }
    return ends;
  }

  RankEnd read_end(const std::string& file) const {
    std::istringstream stream(read_text(file));
    double time = 0.0;
    std::string kind, text;
    stream >> time >> kind >> std::ws;
    std::getline(stream, text);
    if (kind == "other_error") throw std::runtime_error("a rank ended with another error: " + text);
    return {kind == "success" ? RankEnd::success : RankEnd::comm_error, time - begin_, text};
  }

  std::string program_;
  double begin_ = 0.0;
};

/// How long a run takes (the shortest of some: the first makes preparations), and with which weights it ends.
template <class Runs>
std::pair<double, std::string> run_undisturbed(Runs& runs) {
  std::vector<Fault> none{{Fault::pause, 0, 0.0, 0.0}};
  double shortest = 0.0;
  std::string hash;
  for (int i = 0; i < 3; ++i) {
    double seconds = 0.0;
    for (const RankEnd& end : runs.run(none, kLongDeadline)) {
      if (end.kind != RankEnd::success) throw std::runtime_error("an undisturbed run failed: " + end.text);
      if (!hash.empty() && end.text != hash) throw std::runtime_error("undisturbed runs end with other weights");
      seconds = std::max(seconds, end.at);
      hash = end.text;
    }
    shortest = i == 0 ? seconds : std::min(shortest, seconds);
  }
  return {shortest, hash};
}

/// Disturbs runs of this kind until there were so many faults.
template <class Runs>
void disturb_runs(const char* name, Runs runs, int wanted, std::uint64_t seed) {
  const auto [seconds, hash] = run_undisturbed(runs);
  Random random(seed);
  FaultTally tally;
  for (int done = 0, number = 0; done < wanted; ++number) {
    auto faults = random_faults(random, kRanks, seconds, Runs::kDeadline);
    try {
      const auto ends = runs.run(faults, Runs::kDeadline);
      tally.add(faults, ends, hash, Runs::kDeadline + kSlack);
    } catch (const std::exception& error) {
      throw std::runtime_error(
          fmt::format("{}, seed {}, run {} ({}): {}", name, seed, number, text_of(faults), error.what()));
    }
    done += static_cast<int>(std::count_if(faults.begin(), faults.end(), [](const Fault& f) { return f.happened; }));
    if (number % 20 == 19) std::fprintf(stderr, "%s: %d of %d faults\n", name, done, wanted);
  }
  std::printf("%s: %d ranks, deadline %.1f s, undisturbed %.2f s. %s\n", name, kRanks, Runs::kDeadline, seconds,
              tally.text().c_str());
  std::fflush(stdout);
}

}  // namespace

int main(int argc, char** argv) {
  const int faults = argc > 1 ? std::atoi(argv[1]) : 0;
  if (faults < 3) {
    std::fprintf(stderr, "usage: %s FAULTS [SEED], at least 3 faults\n", argv[0]);
    return 2;
  }
  const std::uint64_t seed = argc > 2 ? std::strtoull(argv[2], nullptr, 10) : std::random_device()();
  const auto program = std::filesystem::canonical("/proc/self/exe").parent_path() / "fault_run";
  try {
    disturb_runs("threads", Threads(), faults / 3, seed);
    if (have_mpi()) disturb_runs("processes", Processes(program.string()), faults - faults / 3, seed);
    return 0;
  } catch (const std::exception& error) {
    std::printf("%s\n", error.what());
  }
  return 1;
}
