// SPDX-License-Identifier: Apache-2.0
// The ranks that a launcher started together: where a distributed program begins and ends.
#pragma once

#include <memory>

#include "core/program/communicator.h"

namespace strata {

/// All ranks of this program; the same object each time. Under a launcher (mpirun, srun), or when the program has
/// initialised MPI itself, they are the ranks of MPI_COMM_WORLD, and the first call is collective; otherwise this
/// process is the only rank and MPI is left alone. Thread-safe.
/// Throws ConfigError when the launcher started several ranks but MPI is missing or sees only one, or after
/// shutdown_world(); CommError when MPI fails or a rank does not come.
std::shared_ptr<Communicator> world();

/// Ends the use of MPI if world() initialised it. With `failed` nothing is said to other ranks, who may wait elsewhere:
/// the program should exit with a status other than 0, so that the launcher ends them. Otherwise collective, and ends
/// the process with an error when the others do not come within 10 s. Programs need not call it: exiting does, as
/// failed when the exit status is not 0 or the world has had an error.
void shutdown_world(bool failed);

}  // namespace strata
