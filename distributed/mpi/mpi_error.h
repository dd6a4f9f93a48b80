// SPDX-License-Identifier: Apache-2.0
// Return codes of MPI become CommError.
#pragma once

#include <string_view>

namespace strata {

/// Throws CommError naming the call and MPI's text unless `code` is MPI_SUCCESS. `rank` and `peer` may be -1.
void check_mpi(int code, std::string_view call, int rank = -1, int peer = -1);

}  // namespace strata
