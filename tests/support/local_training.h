// SPDX-License-Identifier: Apache-2.0
// Training on samples that every rank has of its own, and the same with all samples in one place.
#pragma once

#include <ostream>

#include "core/training/model.h"

namespace strata::testing {

/// What training leaves behind, on every rank.
struct LocalTraining {
  std::vector<double> results;  // of every step, then of a test
  std::vector<double> weights;
  std::uint64_t hash = 0;
  friend bool operator==(const LocalTraining&, const LocalTraining&) = default;
};

/// A model with its losses and metrics, and samples first, ..., first + count - 1 of an endless sequence.
struct LocalCase {
  const char* name;
  Model (*model)();
  CompileOptions (*options)();
  Samples (*samples)(std::int64_t first, Dim count);
  friend std::ostream& operator<<(std::ostream& out, const LocalCase& test_case) { return out << test_case.name; }
};

/// Embeddings whose gradients are lists of rows, statistics of the whole batch, dropout, weights of samples; and a
/// masked loss.
std::vector<LocalCase> local_cases();

/// How many samples a rank has in a step: from none to a few, and one of the ranks more with every step.
Dim local_samples(int step, int rank, int ranks);

/// Training step by step, in which each rank of a communicator (null = the session's) passes its own.
class LocalRun {
 public:
  explicit LocalRun(const LocalCase& test_case, std::shared_ptr<Communicator> communicator = nullptr);
  /// One process that passes those of `ranks` ranks at once, as one block.
  LocalRun(const LocalCase& test_case, int ranks);
  /// With `trains` false only tests.
  void step(bool trains = true);
  LocalTraining result() const;

 private:
  LocalCase case_;
  Model model_;
  int ranks_;
  int rank_;  // -1: all samples
  int step_ = 0;
  std::int64_t seen_ = 0;
  std::vector<double> results_;
};

/// Steps, then a test.
LocalTraining train_on_local_batches(const LocalCase& test_case, int steps);
/// One process passes those of `ranks` ranks at once, as one block.
LocalTraining train_on_whole_batches(const LocalCase& test_case, int ranks, int steps);
/// One process passes them at once, in blocks that are what each of `ranks` ranks has. Returns the hash of the weights.
std::uint64_t train_on_blocks_of_ranks(const LocalCase& test_case, int ranks, int steps);

}  // namespace strata::testing
