// SPDX-License-Identifier: Apache-2.0
// For programs that use MPI themselves. The only public header that includes <mpi.h>.
#pragma once

#include <mpi.h>

#include <memory>

#include "core/program/communicator.h"

namespace strata {

/// The ranks of `communicator`, which may be some of all ranks; it is duplicated and otherwise left alone. Collective
/// over its ranks. The duplicate lives until MPI_Finalize: freeing it is a collective call, which a destructor must not
/// make. A rank may train on several communicators, one model on each, as long as all ranks come to the steps that they
/// share in the same order.
///     model.compile({.optimizer = "adam", .loss = "mse", .communicator = make_mpi_communicator(workers)});
/// A Session with it serves whatever this thread does without a compiled model, such as a training loop of its own.
/// Strata makes no thread that calls MPI, installs no signal handler, prints nothing at verbose 0, and neither
/// initialises nor finalises MPI where the program has. Every wait is polled, so that a rank that does not answer
/// becomes a CommError here; the process is never ended. Of MPI_THREAD_SINGLE or FUNNELED on, training works on the
/// thread that initialised MPI; of SERIALIZED on on any, as long as the program sees to it that one thread of a rank
/// calls MPI at a time. Bits do not depend on it.
/// Throws ConfigError when MPI is not initialised, for MPI_COMM_NULL and intercommunicators, and on another thread than
/// MPI allows; so do then all calls that communicate. Throws CommError when MPI fails or a rank does not come before
/// the default deadline.
std::shared_ptr<Communicator> make_mpi_communicator(MPI_Comm communicator);

}  // namespace strata
