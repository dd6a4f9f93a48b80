// SPDX-License-Identifier: Apache-2.0
#include "distributed/mpi/mpi_error.h"

#include <fmt/format.h>
#include <mpi.h>

#include <array>

#include "core/base/error.h"

namespace strata {

void check_mpi(int code, std::string_view call, int rank, int peer) {
  if (code == MPI_SUCCESS) return;
  std::array<char, MPI_MAX_ERROR_STRING> text{};
  int length = 0;
  if (MPI_Error_string(code, text.data(), &length) != MPI_SUCCESS) length = 0;
  std::string what = rank < 0 ? std::string(call) : fmt::format("rank {}: {}", rank, call);
  if (peer >= 0) what += fmt::format(" with rank {}", peer);
  what += fmt::format(": {} (code {})", std::string_view(text.data(), static_cast<std::size_t>(length)), code);
  throw CommError(rank, peer, std::string(call), what);
}

}  // namespace strata
