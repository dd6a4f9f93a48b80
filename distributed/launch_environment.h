// SPDX-License-Identifier: Apache-2.0
// What the environment says of the launcher that started this process.
#pragma once

#include <optional>
#include <string>

namespace strata {

struct LaunchEnvironment {
  std::string variable;  // that gave it away
  int ranks;             // 0 when the launcher does not say
  int rank;              // of this process
};

/// Reads the variables of Open MPI's mpirun, of PMI (MPICH, Intel MPI), of PMIx and of Slurm's srun; empty without a
/// launcher. A Slurm step of one task counts only when it speaks PMI: it may be an interactive shell.
/// Throws ConfigError when a variable is not the number it should be.
std::optional<LaunchEnvironment> launch_environment();

}  // namespace strata
