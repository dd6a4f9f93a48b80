// SPDX-License-Identifier: Apache-2.0
// For programs that use MPI themselves. The only public header that includes <mpi.h>.
#pragma once

#include <mpi.h>

#include <memory>

#include "core/program/communicator.h"

namespace strata {

/// The ranks of `communicator` (an intracommunicator), which is duplicated and otherwise left alone. Collective over
/// its ranks. The duplicate lives until MPI_Finalize: freeing it is a collective call, which a destructor must not
/// make.
/// REQUIRES: MPI is initialised, with MPI_THREAD_SERIALIZED if more than one thread of a rank trains.
/// Throws CommError when MPI fails or a rank does not come before the default deadline.
std::shared_ptr<Communicator> make_mpi_communicator(MPI_Comm communicator);

}  // namespace strata
