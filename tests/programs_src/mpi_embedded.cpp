// SPDX-License-Identifier: Apache-2.0
// Run under mpirun by tests/distributed/mpi_embedded_test.cpp: mpi_embedded MODE. A program that uses MPI itself and
// trains inside it. Exits with 0 when all is as it should be.
#include <mpi.h>
#include <unistd.h>

#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <stdexcept>
#include <string>
#include <string_view>
#include <thread>

#include "core/base/error.h"
#include "core/model/session.h"
#include "distributed/mpi/mpi_communicator.h"
#include "distributed/world.h"
#include "tests/support/communicator_cases.h"
#include "tests/support/local_training.h"

namespace {

using namespace strata;
using strata::testing::LocalRun;
using strata::testing::require;

constexpr int kSteps = 6;

int rank_of(MPI_Comm communicator) {
  int rank = 0;
  MPI_Comm_rank(communicator, &rank);
  return rank;
}

/// The ranks of the world from `first` on whose colour is not negative.
MPI_Comm part_of_world(bool belongs) {
  MPI_Comm part = MPI_COMM_NULL;
  MPI_Comm_split(MPI_COMM_WORLD, belongs ? 0 : MPI_UNDEFINED, 0, &part);
  return part;
}

void print(const char* name, const LocalRun& run) {
  std::printf("%s %016llx\n", name, static_cast<unsigned long long>(run.result().hash));
}

strata::testing::LocalCase mixed() { return strata::testing::local_cases()[0]; }

/// The signals for which this process has handlers.
std::string caught_signals() {
  std::ifstream status("/proc/self/status");
  for (std::string line; std::getline(status, line);) {
    if (line.starts_with("SigCgt:")) return line;
  }
  throw std::runtime_error("no SigCgt in /proc/self/status");
}

// At any level of thread support; on rank 0 the bits are printed, and nothing else by anybody.
void train_at_level(int level) {
  int provided = 0;
  MPI_Init_thread(nullptr, nullptr, level, &provided);
  require(provided >= level, "MPI provides the level");
  const std::string signals = caught_signals();
  const auto communicator = make_mpi_communicator(MPI_COMM_WORLD);
  LocalRun run(mixed(), communicator);
  for (int step = 0; step < kSteps; ++step) {
    run.step();
    int sum = 0;
    const int one = 1;
    MPI_Allreduce(&one, &sum, 1, MPI_INT, MPI_SUM, MPI_COMM_WORLD);  // the program goes on with MPI
    require(sum == communicator->size(), "the program's own messages are its own");
  }
  require(caught_signals() == signals, "signal handlers are the program's");
  if (communicator->rank() == 0) print("world", run);
}

// Another thread than the one that initialised MPI.
void train_on_another_thread() {
  int provided = 0;
  MPI_Init_thread(nullptr, nullptr, MPI_THREAD_FUNNELED, &provided);
  require(provided == MPI_THREAD_FUNNELED, "MPI provides the level");
  const auto communicator = make_mpi_communicator(MPI_COMM_WORLD);
  const auto refused = [](const auto& act) {
    std::string text;
    std::thread([&] {
      try {
        act();
      } catch (const ConfigError& error) {
        text = error.what();
      }
    }).join();
    require(text.starts_with("MPI was initialised so that only the thread that initialised it may call it"), text);
  };
  refused([] { make_mpi_communicator(MPI_COMM_WORLD); });
  make_mpi_communicator(MPI_COMM_WORLD)->barrier();  // nobody has begun another one
  refused([&] { communicator->barrier(); });
}

// Ranks 0 and 1 train one model, ranks 1 and 2 another, rank 1 by turns.
void train_on_overlapping_ranks() {
  MPI_Init(nullptr, nullptr);
  const int rank = rank_of(MPI_COMM_WORLD);
  MPI_Comm parts[] = {part_of_world(rank <= 1), part_of_world(rank == 1 || rank == 2)};
  std::vector<LocalRun> runs;
  std::vector<const char*> names;
  for (int p = 0; p < 2; ++p) {
    if (parts[p] == MPI_COMM_NULL) continue;
    runs.emplace_back(mixed(), make_mpi_communicator(parts[p]));
    names.push_back(p == 0 ? "first" : "second");
    MPI_Comm_free(&parts[p]);
  }
  for (int step = 0; step < kSteps; ++step) {
    for (LocalRun& run : runs) run.step();
  }
  for (std::size_t i = 0; i < runs.size(); ++i) print(names[i], runs[i]);
}

template <class E, class F>
void require_error(const F& act, std::string_view part) {
  try {
    act();
  } catch (const E& error) {
    return require(std::string_view(error.what()).find(part) != std::string_view::npos, error.what());
  }
  throw std::runtime_error("expected an error with: " + std::string(part));
}

void misuse() {
  require_error<ConfigError>([] { make_mpi_communicator(MPI_COMM_WORLD); }, "MPI is not initialised");
  MPI_Init(nullptr, nullptr);
  const int rank = rank_of(MPI_COMM_WORLD);
  require_error<ConfigError>([] { make_mpi_communicator(MPI_COMM_NULL); }, "received MPI_COMM_NULL");
  MPI_Comm own = MPI_COMM_NULL, between = MPI_COMM_NULL;
  MPI_Comm_split(MPI_COMM_WORLD, rank, 0, &own);
  MPI_Intercomm_create(own, 0, MPI_COMM_WORLD, 1 - rank, 0, &between);
  require_error<ConfigError>([&] { make_mpi_communicator(between); }, "received an intercommunicator");
}

// Rank 1 does not come: an error on the others, whose program goes on.
void wait_for_a_rank_that_does_not_come() {
  setenv("STRATA_DEADLINE", "1", 1);
  MPI_Init(nullptr, nullptr);
  if (rank_of(MPI_COMM_WORLD) != 1) {
    require_error<CommError>([] { make_mpi_communicator(MPI_COMM_WORLD); },
                             "waited 1.0 s for the other ranks to join its communicator (MPI_Comm_idup)");
    std::printf("goes on\n");
    std::fflush(stdout);
  }
  // MPI_Finalize would wait for what rank 1 has left undone; the first rank that ends without it may end the others.
  std::this_thread::sleep_for(std::chrono::seconds(3));
  _exit(0);
}

// A program of Strata's own, one rank of which never initialises MPI.
void wait_for_a_rank_that_does_not_start() {
  if (std::getenv("STRATA_LAZY") == nullptr) {
    setenv("STRATA_DEADLINE", "2", 1);
    world();
  }
  std::this_thread::sleep_for(std::chrono::seconds(20));
}

// A communicator outlives MPI, with a note under way to a rank that was late.
void finalize_first() {
  MPI_Init(nullptr, nullptr);
  const auto communicator = make_mpi_communicator(MPI_COMM_WORLD);
  if (communicator->rank() == 1) std::this_thread::sleep_for(std::chrono::milliseconds(1200));
  communicator->barrier();
  MPI_Finalize();
}

void run(std::string_view mode) {
  if (mode == "finalize_first") return finalize_first();
  if (mode == "single") train_at_level(MPI_THREAD_SINGLE);
  else if (mode == "funneled") train_at_level(MPI_THREAD_FUNNELED);
  else if (mode == "serialized") train_at_level(MPI_THREAD_SERIALIZED);
  else if (mode == "multiple") train_at_level(MPI_THREAD_MULTIPLE);
  else if (mode == "thread") train_on_another_thread();
  else if (mode == "overlap") train_on_overlapping_ranks();
  else if (mode == "misuse") misuse();
  else if (mode == "absent") wait_for_a_rank_that_does_not_come();
  else if (mode == "unstarted") wait_for_a_rank_that_does_not_start();
  else throw std::runtime_error("unknown mode " + std::string(mode));
  MPI_Finalize();
}

}  // namespace

int main(int argc, char** argv) {
  try {
    run(argc > 1 ? argv[1] : "");
    return 0;
  } catch (const std::exception& error) {
    std::fprintf(stderr, "%s\n", error.what());
    return 1;
  }
}
