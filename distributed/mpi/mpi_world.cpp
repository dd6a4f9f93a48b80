// SPDX-License-Identifier: Apache-2.0
// The world of a build with MPI, and the end of MPI, which must neither be forgotten nor hang.
#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <cstdlib>
#include <mutex>

#include "core/base/error.h"
#include "core/base/library_versions.h"
#include "core/base/verbose.h"
#include "distributed/launch_environment.h"
#include "distributed/mpi/mpi_communicator.h"
#include "distributed/mpi/mpi_error.h"
#include "distributed/mpi/mpi_transport.h"
#include "distributed/mpi/mpi_watchdog.h"
#include "distributed/point_to_point.h"
#include "distributed/world.h"

namespace strata {
namespace {

constexpr std::chrono::seconds kFinalizeDeadline{10};

struct World {
  std::mutex mutex;
  std::shared_ptr<Communicator> communicator;
  PointToPointCommunicator* over_mpi = nullptr;  // the same, when there is MPI below it
  bool initialised_mpi = false;
  bool shut_down = false;
  pid_t process = 0;  // that opened the world: MPI is nothing for a child that it forks
};

// Never destroyed: used while the process exits.
World& the_world() {
  static auto* state = new World;
  return *state;
}

bool mpi_initialized() {
  int flag = 0;
  check_mpi(MPI_Initialized(&flag), "MPI_Initialized");
  return flag != 0;
}

bool mpi_finalized() {
  int flag = 0;
  check_mpi(MPI_Finalized(&flag), "MPI_Finalized");
  return flag != 0;
}

void finalize() {
  int rank = -1;
  MPI_Comm_rank(MPI_COMM_WORLD, &rank);
  const MpiWatchdog watchdog("MPI_Finalize", rank, kFinalizeDeadline, "another rank has died or still works.");
  MPI_Finalize();
}

void shut_down(World& state, bool failed) {
  const std::lock_guard lock(state.mutex);
  if (state.shut_down) return;
  state.shut_down = true;
  if (state.process != getpid()) return;
  if (state.over_mpi != nullptr && !failed) state.over_mpi->finish();
  const bool broken = state.over_mpi != nullptr && !state.over_mpi->usable(), over = mpi_finalized();
  if (state.over_mpi != nullptr && failed && !over) state.over_mpi->abandon("its program ends with an error");
  if (!failed && !broken && !over && state.initialised_mpi) finalize();
}

// glibc tells an exit handler the status of the exit, so that a failing program is known by it.
#if defined(__GLIBC__)
void at_exit(int status, void* state) { shut_down(*static_cast<World*>(state), status != EXIT_SUCCESS); }
void register_exit_handler(World& state) { on_exit(at_exit, &state); }
#else
void register_exit_handler(World&) {
  std::atexit([] { shut_down(the_world(), false); });
}
#endif

void initialize(World& state, const LaunchEnvironment& launch) {
  int provided = MPI_THREAD_SINGLE;
  {
    const MpiWatchdog watchdog("MPI_Init_thread", launch.rank, default_deadlines().first,
                               "another rank of the job has not started, has died, or does not use MPI; or the hosts "
                               "cannot reach each other. STRATA_DEADLINE sets the seconds to wait.");
    check_mpi(MPI_Init_thread(nullptr, nullptr, MPI_THREAD_SERIALIZED, &provided), "MPI_Init_thread");
  }
  state.initialised_mpi = true;
  register_exit_handler(state);
  check_mpi(MPI_Comm_set_errhandler(MPI_COMM_WORLD, MPI_ERRORS_RETURN), "MPI_Comm_set_errhandler");
  if (provided < MPI_THREAD_SERIALIZED && verbosity() > 0) {
    verbose_line("MPI allows calls from the main thread only: train there");
  }
}

void check_sizes(const LaunchEnvironment& launch) {
  int size = 0;
  check_mpi(MPI_Comm_size(MPI_COMM_WORLD, &size), "MPI_Comm_size");
  if (size > 1 || launch.ranks <= 1) return;
  throw ConfigError(fmt::format(
      "the launcher started {} ranks ({}), but MPI sees 1: each would train alone. The launcher belongs to "
      "another MPI than the one Strata was built with; use that one's mpirun, or `srun --mpi=TYPE` with a type "
      "that it knows (`srun --mpi=list`; pmix for Open MPI).",
      launch.ranks, launch.variable));
}

/// The first words of what the library says of itself: "Open MPI v4.1.4, package: ...", "MPICH Version:\t4.0.2\n...".
std::string mpi_version() {
  std::array<char, MPI_MAX_LIBRARY_VERSION_STRING> text{};
  int length = 0;
  check_mpi(MPI_Get_library_version(text.data(), &length), "MPI_Get_library_version");
  std::string version(text.data());
  version.resize(std::min(version.find_first_of(",\n"), version.size()));
  std::replace(version.begin(), version.end(), '\t', ' ');
  return version;
}

std::shared_ptr<PointToPointCommunicator> make_point_to_point(MPI_Comm communicator) {
  add_library_version("MPI", mpi_version());
  return std::make_shared<PointToPointCommunicator>(
      MpiTransport::duplicate(communicator, default_deadlines().first, the_world().initialised_mpi));
}

void open_world(World& state) {
  const auto launch = launch_environment();
  if (!launch && !mpi_initialized()) {
    state.communicator = make_single_communicator();
    return;
  }
  if (mpi_finalized()) throw ConfigError("world: MPI has been finalised; call world() before MPI_Finalize");
  state.process = getpid();
  if (!mpi_initialized()) initialize(state, *launch);
  if (launch) check_sizes(*launch);
  const auto communicator = make_point_to_point(MPI_COMM_WORLD);
  state.over_mpi = communicator.get();
  state.communicator = communicator;
}

}  // namespace

std::shared_ptr<Communicator> world() {
  World& state = the_world();
  const std::lock_guard lock(state.mutex);
  if (state.shut_down) throw ConfigError("world: called after shutdown_world");
  if (!state.communicator) open_world(state);
  return state.communicator;
}

void shutdown_world(bool failed) { shut_down(the_world(), failed); }

std::shared_ptr<Communicator> make_mpi_communicator(MPI_Comm communicator) {
  if (!mpi_initialized()) throw ConfigError("make_mpi_communicator: MPI is not initialised; call it after MPI_Init");
  if (mpi_finalized()) throw ConfigError("make_mpi_communicator: MPI has been finalised");
  if (communicator == MPI_COMM_NULL) {
    throw ConfigError("make_mpi_communicator: received MPI_COMM_NULL: this rank does not belong to the communicator");
  }
  return make_point_to_point(communicator);
}

}  // namespace strata
