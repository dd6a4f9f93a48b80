// SPDX-License-Identifier: Apache-2.0
// Random faults of ranks that train, and what became of the ranks.
#pragma once

#include <map>
#include <random>
#include <string>
#include <vector>

namespace strata::testing {

struct Fault {
  enum Kind {
    pause,  // the rank does nothing for some seconds
    stop,   // nor ever after
    kill,   // the rank is gone
  };
  Kind kind;
  int rank;
  double at;              // seconds since training began
  double seconds = 0.0;   // of a pause
  bool happened = false;  // false: its rank had ended before

  /// Whether the rank does not come back.
  bool final() const { return kind != pause; }
  std::string text() const;
};

using Random = std::mt19937_64;

/// From 1 to 3 faults, in order of time, of which only the last may be final. Pauses last up to twice `deadline`.
std::vector<Fault> random_faults(Random& random, int ranks, double run_seconds, double deadline);

std::string text_of(const std::vector<Fault>& faults);

/// How a rank's training ended. A rank that a fault keeps from ending has no end.
struct RankEnd {
  enum Kind { success, comm_error, other_error } kind;
  double at;         // seconds since training began
  std::string text;  // the weights' hash, or the error's
};

/// Counts what happened in many runs.
class FaultTally {
 public:
  /// Faults that did not happen do not count. Throws std::runtime_error unless the run ended as it has to: each rank
  /// that is left with these weights, or with an error at most `limit` seconds after the last fault.
  void add(const std::vector<Fault>& faults, const std::vector<RankEnd>& ends, const std::string& expected_hash,
           double limit);
  /// Several lines.
  std::string text() const;

 private:
  std::map<std::string, int> faults_;    // by kind
  std::map<std::string, int> outcomes_;  // of runs
  std::map<std::string, int> errors_;    // of ranks
  int runs_ = 0;
  double slowest_ = 0.0;  // seconds from a fault to the end of a rank
};

}  // namespace strata::testing
