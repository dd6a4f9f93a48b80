// SPDX-License-Identifier: Apache-2.0
// Other programs, started by tests: without a shell, within a time limit.
#pragma once

#include <chrono>
#include <map>
#include <string>
#include <vector>

namespace strata::testing {

struct Command {
  std::vector<std::string> arguments;                   // the first is the path of the program
  std::map<std::string, std::string> environment = {};  // added to that of this process
  std::chrono::seconds limit{60};
};

struct Outcome {
  int status = 0;       // of the exit; minus the signal that ended the program
  bool in_time = true;  // false: ended by a signal when the limit was over
  double seconds = 0;   // from start to end
  std::string out, err;

  bool succeeded() const { return in_time && status == 0; }
  /// All of it, for the message of a failed expectation.
  std::string text() const;
};

/// Runs the program to its end, its standard input empty. After the limit it gets SIGTERM, 5 s later SIGKILL.
/// Throws std::system_error when it cannot be started. Not thread-safe.
Outcome run_process(const Command& command);

/// Whether run_mpi can work: Strata was built with MPI.
bool have_mpi();

struct MpiOutcome : Outcome {  // `out` and `err` are mpirun's own
  struct Rank {
    std::string out, err;
  };
  std::vector<Rank> ranks;

  std::string text() const;
};

/// What the launcher does when a rank dies.
enum class OnLostRank { others_end, others_live };

/// Runs the program on `ranks` ranks of this machine under the mpirun of the MPI that Strata was built with: Open MPI's
/// or MPICH's. The arguments may go on with ":", "-np", "1" and another program: see mpirun(1).
MpiOutcome run_mpi(int ranks, const Command& command, OnLostRank on_lost = OnLostRank::others_end);

}  // namespace strata::testing
